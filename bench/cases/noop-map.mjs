import { openExecutor } from '../lib/ours.mjs'
import { poolContenders } from '../lib/peers.mjs'
import { assertEqual, range, wallSamples } from '../lib/timing.mjs'

const COUNT = 10_000
const noop = x => x

export const benchCase = {
  title: 'Map of 10,000 no-ops, warm, defaults, each with its own future, status and stats',
  rounds: { full: 5, quick: 2 },
  samples: { full: 5, quick: 2 },
  metrics: [{ name: 'wall', label: 'map to all values', unit: 'ms', better: 'lower', target: { max: 100 } }],
  contenders: [
    {
      name: 'ours',
      kind: 'ours',
      async run({ samples }) {
        const fexec = await openExecutor()
        const items = range(COUNT)
        const once = async () => {
          const futures = fexec.map(noop, items)
          const values = await fexec.getResult(futures)
          return { futures, values }
        }
        await once()
        let last
        const rows = await wallSamples(samples, async () => {
          last = await once()
          assertEqual(last.values.length, COUNT)
          assertEqual(last.values[COUNT - 1], COUNT - 1)
        })
        const futures = [...last.futures]
        assertEqual(new Set(futures).size, COUNT)
        for (const future of futures) {
          if (!future.stats || !future.state) throw new Error('a future has no stats or no state')
        }
        await fexec.close()
        return rows
      },
    },
    ...poolContenders(
      ['piscina', 'tinypool', 'faast.js'],
      pool => Promise.all(range(2000).map(i => pool.run('noop', i))),
      (pool, { samples }) =>
        wallSamples(samples, async () => {
          const values = await Promise.all(range(COUNT).map(i => pool.run('noop', i)))
          assertEqual(values[COUNT - 1], COUNT - 1)
        }),
    ),
    {
      name: 'Lithops (Python)',
      kind: 'peer',
      python: true,
      samples: { full: 1, quick: 1 },
      rounds: { full: 3, quick: 1 },
      note: 'only 1,000 calls, not scaled',
    },
  ],
}
