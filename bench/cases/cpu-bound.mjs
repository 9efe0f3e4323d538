import { pbkdf2Sync } from 'node:crypto'
import { median } from 'simple-statistics'
import { openExecutor } from '../lib/ours.mjs'
import { cores, poolContenders } from '../lib/peers.mjs'
import { assertEqual, range } from '../lib/timing.mjs'

const TASKS = 64
const TASK_MS = 50

function burn(loops) {
  const start = performance.now()
  // native work: a loop's speed depends on how and when each worker compiles it
  const key = pbkdf2Sync('key', 'salt', loops, 32, 'sha256')
  return [performance.now() - start, key[0]]
}

/**
 * The ideal is the serial time of all tasks, divided by the cores. The serial time is that of single tasks in the
 * contender's own workers, one at a time: how well a loop is compiled differs between a client and a worker.
 */
async function measure(samples, runAll, runOne) {
  const serialMs = async loops => {
    const times = []
    for (let i = 0; i < 9; i++) times.push((await runOne(loops))[0])
    return median(times)
  }
  let loops = 20_000
  await runAll(loops)
  for (let i = 0; i < 5; i++) loops = Math.round((loops * TASK_MS) / (await serialMs(loops)))
  await runAll(loops)
  const rows = []
  for (let i = 0; i < samples; i++) {
    const before = await serialMs(loops)
    const start = performance.now()
    const answers = await runAll(loops)
    const wall = performance.now() - start
    const serial = (before + (await serialMs(loops))) / 2
    assertEqual(answers.length, TASKS)
    const inside = answers.reduce((sum, [ms]) => sum + ms, 0)
    rows.push({
      wall,
      efficiency: ((TASKS * serial) / cores / wall) * 100,
      busy: (inside / cores / wall) * 100,
    })
  }
  return rows
}

export const benchCase = {
  title: '64 tasks of 50 ms of pure computing',
  rounds: { full: 5, quick: 1 },
  samples: { full: 1, quick: 1 },
  metrics: [
    { name: 'efficiency', label: 'share of the ideal', unit: '%', better: 'higher', target: { min: 95 } },
    { name: 'busy', label: "time inside the tasks, share of the cores' time", unit: '%', better: 'higher' },
    { name: 'wall', label: 'map to all values', unit: 'ms', better: 'lower' },
  ],
  contenders: [
    {
      name: 'ours',
      kind: 'ours',
      async run({ samples }) {
        const fexec = await openExecutor()
        const rows = await measure(
          samples,
          loops => fexec.getResult(fexec.map(burn, Array(TASKS).fill(loops))),
          loops => fexec.callAsync(burn, loops),
        )
        await fexec.close()
        return rows
      },
    },
    ...poolContenders(
      ['piscina, threads', 'tinypool', 'faast.js, 10'],
      pool => pool.run('noop', 1),
      (pool, { samples }) =>
        measure(
          samples,
          loops => Promise.all(range(TASKS).map(() => pool.run('burn', loops))),
          loops => pool.run('burn', loops),
        ),
    ).filter(({ name }) => !name.includes('64')),
    { name: 'Lithops (Python)', kind: 'peer', python: true, samples: { full: 1, quick: 1 } },
  ],
}
