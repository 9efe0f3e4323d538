import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { CallOutOfMemoryError, CallTimeoutError, FunctionExecutor, WorkerLostError } from '../../src/index.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const fexec = new FunctionExecutor({ backend: 'localhost', localhost: { worker_processes: 2 } })
afterAll(() => fexec.close())

/** Appends a line to a file from inside a call, to count how often it ran. */
const counter = () => join(temporaryFolder('lithops-test-'), 'runs')

describe('timeouts', () => {
  test('kill a function in a busy loop, and the next call works', async () => {
    const began = performance.now()
    const error = await fexec
      .callAsync(
        () => {
          console.log('about to loop')
          for (;;);
        },
        0,
        { timeoutMs: 300 },
      )
      .catch(e => e)
    expect(error).toBeInstanceOf(CallTimeoutError)
    expect(error.message).toMatch(/Call 0 of job .*about to loop/s)
    expect(performance.now() - began).toBeLessThan(3000)
    expect(await fexec.callAsync((x: number) => x, 1)).toBe(1)
  })

  test('kill a function that loops and logs: log lines are no progress', async () => {
    const began = performance.now()
    const future = fexec.callAsync(
      () => {
        const end = Date.now() + 10_000
        for (let next = 0; Date.now() < end; ) {
          if (Date.now() < next) continue
          console.log('still here')
          next = Date.now() + 20
        }
      },
      0,
      { timeoutMs: 300 },
    )
    expect((await future.status()).error).toBeInstanceOf(CallTimeoutError)
    expect(performance.now() - began).toBeLessThan(5000)
    expect(future.logs).toContain('still here')
  })

  test('abort the signal of an asynchronous function first', async () => {
    const error = await fexec
      .callAsync(
        (_: number, context) =>
          new Promise<void>((_, reject) => {
            context.signal.addEventListener('abort', () => reject(new Error('stopped in order')))
          }),
        0,
        { timeoutMs: 100 },
      )
      .catch(e => e)
    expect(error).toBeInstanceOf(CallTimeoutError)
  })

  test('one call that hangs does not take others with it', async () => {
    const futures = fexec.map(
      (x: number) => {
        if (x === 5) for (;;);
        return x
      },
      Array.from({ length: 50 }, (_, i) => i),
      { timeoutMs: 2000 },
    )
    const values = await fexec.getResult(futures, { throwExcept: false })
    expect(values).toEqual(Array.from({ length: 50 }, (_, i) => (i === 5 ? undefined : i)))
    expect(futures[5]?.error).toBeInstanceOf(CallTimeoutError)
  })
})

describe('workers that break', () => {
  test('process.exit is recognised, retried within the budget, and named with the last log lines', async () => {
    const runs = counter()
    const error = await fexec
      .callAsync(
        (file: string) => {
          process.getBuiltinModule?.('node:fs')
          console.log('last words')
          void file
          process.exit(3)
        },
        runs,
        { retries: { infrastructure: 1 } },
      )
      .catch(e => e)
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error.message).toMatch(
      /exited with code 3 because the function called process\.exit.*peak memory was \d+ MiB.*tried 2 times.*last words/s,
    )
  })

  test('a native crash hurts no other call', async () => {
    const futures = fexec.map(
      (x: number) => {
        if (x === 3) process.abort()
        return x
      },
      [1, 2, 3, 4, 5, 6],
      { retries: { infrastructure: 0 } },
    )
    expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([1, 2, undefined, 4, 5, 6])
    expect(futures[2]?.error).toBeInstanceOf(WorkerLostError)
  })

  test('running out of memory is recognised as that, with the peak', async () => {
    const error = await fexec
      .callAsync(
        () => {
          const hoard: unknown[] = []
          for (;;) hoard.push(new Array(100_000).fill(hoard.length))
        },
        0,
        { runtimeMemoryMiB: 64, retries: { infrastructure: 0 } },
      )
      .catch(e => e)
    expect(error).toBeInstanceOf(CallOutOfMemoryError)
    expect(error.message).toMatch(/limit of 64 MiB.*peak memory was \d+ MiB/)
  })

  test.runIf(process.platform === 'linux')(
    'buffers count as memory, and its last log lines are shown',
    async () => {
      const error = await fexec
        .callAsync(
          async () => {
            const hoard: Buffer[] = []
            console.log('hoarding')
            for (;;) {
              hoard.push(Buffer.alloc(16 * 1024 * 1024, 1))
              await new Promise(resolve => setTimeout(resolve, 10))
            }
          },
          0,
          { runtimeMemoryMiB: 64, timeoutMs: 20_000, retries: { infrastructure: 0 } },
        )
        .catch(e => e)
      expect(error).toBeInstanceOf(CallOutOfMemoryError)
      expect(error.message).toMatch(
        /buffers it went over the limit of 64 MiB.*peak memory was \d+ MiB.*hoarding/s,
      )
    },
  )

  test('user errors are run again only when asked', async () => {
    const flaky = (_: number, context: { attempt: number }) => {
      if (context.attempt < 2) throw new Error(`attempt ${context.attempt}`)
      return context.attempt
    }
    await expect(fexec.callAsync(flaky, 0).result()).rejects.toThrow('attempt 0')
    expect(await fexec.callAsync(flaky, 0, { retries: 2 })).toBe(2)
  })
})

describe('isolation', () => {
  test('a promise that rejects and a timer that throws after the end do not hurt the next call', async () => {
    for (let i = 0; i < 3; i++) {
      await fexec
        .callAsync(() => {
          setTimeout(() => {
            throw new Error('late')
          }, 5)
          Promise.reject(new Error('forgotten'))
        }, 0)
        .status()
    }
    const slow = (x: number) => new Promise<number>(resolve => setTimeout(() => resolve(x), 50))
    expect(await fexec.getResult(fexec.map(slow, [1, 2, 3, 4]))).toEqual([1, 2, 3, 4])
  })

  test('environment and working directory are put back', async () => {
    const here = process.cwd()
    await fexec.getResult(
      fexec.map(() => {
        process.env.LITHOPS_TEST_LEAK = 'leaked'
        delete process.env.PATH
        process.chdir('/')
      }, [1, 2, 3, 4]),
    )
    const seen = await fexec.getResult(
      fexec.map(
        () => [process.env.LITHOPS_TEST_LEAK ?? null, process.env.PATH !== undefined, process.cwd()],
        [1, 2, 3, 4],
      ),
    )
    for (const one of seen) expect(one).toEqual([null, true, here])
  })

  test.skipIf(process.platform === 'win32')(
    'a program whose folder is removed under it goes on',
    async () => {
      const here = process.cwd()
      const gone = mkdtempSync(join(tmpdir(), 'lithops-gone-'))
      try {
        process.chdir(gone)
        await using own = new FunctionExecutor({ localhost: { worker_processes: 1 } })
        const change = (x: number) => {
          process.chdir('/')
          return x
        }
        expect(await own.callAsync(change, 1)).toBe(1)
        rmSync(gone, { recursive: true })
        expect(await own.getResult(own.map(change, [2, 3]))).toEqual([2, 3])
      } finally {
        process.chdir(here)
      }
    },
  )

  test('extraEnv is there for its job only', async () => {
    const read = () => process.env.LITHOPS_TEST_EXTRA ?? null
    expect(await fexec.callAsync(read, 0, { extraEnv: { LITHOPS_TEST_EXTRA: 'x' } })).toBe('x')
    expect(await fexec.getResult(fexec.map(read, [1, 2, 3]))).toEqual([null, null, null])
  })

  test('a changed global stays in its worker, and isolation: call gives each call a fresh one', async () => {
    const count = () => {
      const g = globalThis as { counted?: number }
      g.counted = (g.counted ?? 0) + 1
      return g.counted
    }
    await using warm = new FunctionExecutor({ localhost: { worker_processes: 1 } })
    expect(await warm.getResult(warm.map(count, [1, 2, 3]))).toEqual([1, 2, 3])
    await using fresh = new FunctionExecutor({ localhost: { worker_processes: 1, isolation: 'call' } })
    expect(await fresh.getResult(fresh.map(count, [1, 2, 3]))).toEqual([1, 1, 1])
  })
})

test('nothing is left on disk or running after close', async () => {
  const own = new FunctionExecutor({ localhost: { worker_processes: 2 } })
  const big = new Float64Array(100_000)
  await own.getResult(own.map((i: number) => big[i], [1, 2, 3]))
  const pids = await own.getResult(own.map(() => process.pid, Array(20).fill(0)))
  await own.close()
  for (const pid of new Set(pids)) expect(() => process.kill(pid, 0)).toThrow()
  expect(readdirSync(tmpdir()).filter(name => name.startsWith(`lithops-${own.executorId}`))).toEqual([])
  expect(existsSync(join(tmpdir(), `lithops-${own.executorId}-${process.pid}`))).toBe(false)
})
