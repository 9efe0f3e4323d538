"""Python Lithops, localhost compute and storage, warm: lithops_peer.py CASE SAMPLES OUTPUT

Writes {"samples": [{metric: number}], "version": ...} to OUTPUT.
"""
import json
import os
import resource
import statistics
import sys
import time

import lithops

# The cleaner process that every get_result starts would overlap the next sample.
PAUSE_SECONDS = 1.0
BURN_MS = 50
BURN_TASKS = 64


def noop(x):
    return x


def blob(size):
    return b'x' * size


def burn(loops):
    import time
    start = time.perf_counter()
    x = 0
    for i in range(loops):
        x = (x * 31 + i) & 0xffffffff
    return (time.perf_counter() - start) * 1e3


def count_words(obj):
    counts = {}
    for line in obj.data_stream.read().decode().split('\n'):
        for word in line.split(' '):
            counts[word] = counts.get(word, 0) + 1
    return counts


def add_counts(results):
    counts = {}
    for result in results:
        for word, n in result.items():
            counts[word] = counts.get(word, 0) + n
    return counts


def count_alone(path):
    start = time.perf_counter()
    counts = {}
    with open(path) as file:
        for line in file:
            for word in line.rstrip('\n').split(' '):
                counts[word] = counts.get(word, 0) + 1
    return (time.perf_counter() - start) * 1e3, len(counts)


def timed(work):
    time.sleep(PAUSE_SECONDS)
    start = time.perf_counter()
    value = work()
    return (time.perf_counter() - start) * 1e3, value


def ended(x):
    import time
    time.sleep(0.02)
    return time.time()


def count_requests(samples, output):
    """1,000 calls with the pace that Lithops has for clouds: requests to the storage, and how late results come."""
    log = output + '.requests'
    if os.environ.get('COUNT_LOG') != log:
        here = os.path.dirname(os.path.abspath(__file__))
        env = {**os.environ, 'COUNT_LOG': log, 'PYTHONPATH': os.path.join(here, 'lithops-count')}
        os.execve(sys.executable, [sys.executable, *sys.argv], env)
    config = {'lithops': {'backend': 'localhost', 'storage': 'localhost', 'monitoring_interval': 2, 'data_cleaner': False},
              'localhost': {'version': 1}}
    fexec = lithops.FunctionExecutor(config=config)
    rows = []
    for _ in range(samples):
        open(log, 'w').close()
        futures = fexec.map(ended, range(1000))
        values = fexec.get_result(futures)
        late = [(future.stats['host_status_done_tstamp'] - value) * 1e3 for future, value in zip(futures, values)]
        with open(log) as file:
            counts = [line.split() for line in file]
        total = sum(int(n) for _, n in counts)
        lists = sum(int(n) for kind, n in counts if kind == 'LIST')
        rows.append({'requests': total, 'lists': lists, 'late': statistics.median(late)})
    with open(output, 'w') as file:
        json.dump({'samples': rows, 'version': lithops.__version__}, file)


def ways_home(samples, output):
    """The RabbitMQ monitor: how late results come, and calls that do nothing per second."""
    # Version 2 starts a Python, with pika, for each call: 1,000 calls take more than the limit of a contender.
    config = {'lithops': {'backend': 'localhost', 'storage': 'localhost', 'monitoring': 'rabbitmq', 'data_cleaner': False},
              'localhost': {'version': 1},
              'rabbitmq': {'amqp_url': os.environ['BENCH_AMQP_URL']}}
    fexec = lithops.FunctionExecutor(config=config)
    fexec.get_result(fexec.map(noop, range(10)))
    rows = []
    for _ in range(samples):
        futures = fexec.map(ended, range(200))
        values = fexec.get_result(futures)
        late = sorted((future.stats['host_status_done_tstamp'] - value) * 1e3 for future, value in zip(futures, values))
        wall, value = timed(lambda: fexec.get_result(fexec.map(noop, range(1000))))
        assert value == list(range(1000))
        rows.append({'p50': late[len(late) // 2], 'p99': late[len(late) * 99 // 100], 'rate': 1000 / (wall / 1e3)})
    with open(output, 'w') as file:
        json.dump({'samples': rows, 'version': lithops.__version__}, file)


def main():
    case, samples, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if case == 'storage-monitor':
        return count_requests(samples, output)
    if case == 'ways-home':
        return ways_home(samples, output)
    fexec = lithops.FunctionExecutor(config={'lithops': {'backend': 'localhost', 'storage': 'localhost'}})
    fexec.get_result(fexec.map(noop, [0]))
    rows = []
    if case == 'cpu-bound':
        loops = 200_000
        for _ in range(3):
            loops = int(loops * BURN_MS / min(burn(loops) for _ in range(7)))
    for _ in range(samples):
        if case == 'one-call':
            wall, value = timed(lambda: fexec.get_result(fexec.call_async(noop, 1)))
            assert value == 1
            rows.append({'wall': wall})
        elif case == 'noop-map':
            wall, value = timed(lambda: fexec.get_result(fexec.map(noop, range(1000))))
            assert value == list(range(1000))
            rows.append({'wall': wall})
        elif case == 'results-1mb':
            wall, value = timed(lambda: fexec.get_result(fexec.map(blob, [1 << 20] * 20)))
            assert len(value) == 20 and len(value[-1]) == 1 << 20
            rows.append({'wall': wall})
        elif case == 'cpu-bound':
            serial = statistics.median(burn(loops) for _ in range(15))
            wall, value = timed(lambda: fexec.get_result(fexec.map(burn, [loops] * BURN_TASKS)))
            cores = len(os.sched_getaffinity(0))
            rows.append({'wall': wall, 'efficiency': BURN_TASKS * serial / cores / wall * 100,
                         'busy': sum(value) / cores / wall * 100})
        elif case == 'word-count':
            # here `samples` is the size of the file in bytes; cases/word-count.mjs has made it
            size = int(sys.argv[2])
            path = os.path.join(os.path.dirname(__file__), '..', '..', '.cache', 'bench-data', f'words-{size}.txt')
            with open(path, 'rb') as file:
                lithops.Storage(backend='localhost').put_object('storage', 'words.txt', file)
            alone, words = count_alone(path)
            wall, value = timed(lambda: fexec.get_result(fexec.map_reduce(
                count_words, ['storage/words.txt'], add_counts, obj_chunk_size=10_000_000)))
            assert len(set(value) - {''}) == words
            cores = len(os.sched_getaffinity(0))
            rows.append({'rate': size / 1e3 / wall, 'share': alone / cores / wall * 100,
                         'rss': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
            break
        else:
            raise SystemExit(f'no case {case}')
    with open(output, 'w') as file:
        json.dump({'samples': rows, 'version': lithops.__version__}, file)


if __name__ == '__main__':
    main()
