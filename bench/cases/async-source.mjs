import { openExecutor } from '../lib/ours.mjs'
import { openPiscina, openTinypool } from '../lib/peers.mjs'
import { assertEqual } from '../lib/timing.mjs'

const noop = x => x
const SAMPLE_EVERY_MS = 20

async function* source(count) {
  for (let i = 0; i < count; i++) yield i
}

/** `consume(items)` returns how many results came back; the client's memory is watched meanwhile. */
async function measure(count, consume) {
  let peak = 0
  const watch = () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(watch, SAMPLE_EVERY_MS)
  const start = performance.now()
  assertEqual(await consume(source(count)), count)
  const wall = performance.now() - start
  clearInterval(timer)
  watch()
  return [
    {
      rate: (count / wall) * 1e3,
      rss: peak / 2 ** 20,
      maxRss: process.resourceUsage().maxRSS / 1024,
    },
  ]
}

// A pool has no map over a source; p-map gives it one with bounded concurrency, which is what its users do.
async function pooled(pool, count) {
  const { pMapIterable } = await import('p-map')
  await pool.run('noop', 1)
  const samples = await measure(count, async items => {
    let got = 0
    for await (const _ of pMapIterable(items, i => pool.run('noop', i), { concurrency: 256 })) got++
    return got
  })
  await pool.close()
  return samples
}

export const benchCase = {
  title: 'Map over an async source of 1,000,000 items',
  quickTitle: 'Map over an async source of 100,000 items (quick mode)',
  rounds: { full: 3, quick: 1 },
  // The number of items, not of repetitions.
  samples: { full: 1_000_000, quick: 100_000 },
  metrics: [
    { name: 'rate', label: 'items per second', unit: '/s', better: 'higher', target: { min: 50_000 } },
    {
      name: 'rss',
      label: 'client RSS, peak by interval',
      unit: 'MiB',
      better: 'lower',
      target: { max: 150e6 / 2 ** 20 },
    },
    {
      name: 'maxRss',
      label: "client RSS, the system's peak",
      unit: 'MiB',
      better: 'lower',
      target: { max: 150e6 / 2 ** 20 },
    },
  ],
  contenders: [
    {
      name: 'ours',
      kind: 'ours',
      async run({ samples: count }) {
        const fexec = await openExecutor()
        await fexec.callAsync(noop, 1).result()
        const samples = await measure(count, async items => {
          let got = 0
          for await (const future of fexec.map(noop, items)) {
            await future.result()
            got++
          }
          return got
        })
        await fexec.close()
        return samples
      },
    },
    {
      name: 'piscina, threads, 64 per thread + p-map',
      kind: 'peer',
      note: 'threads are inside the client',
      run: async ({ samples: count }) => pooled(await openPiscina(64), count),
    },
    {
      name: 'tinypool, child processes + p-map',
      kind: 'peer',
      run: async ({ samples: count }) => pooled(await openTinypool(), count),
    },
  ],
}
