import { openExecutor } from '../lib/ours.mjs'
import { poolContenders } from '../lib/peers.mjs'
import { assertEqual, range, wallSamples } from '../lib/timing.mjs'

const COUNT = 20
const SIZE = 1 << 20
const text = size => 'x'.repeat(size)
const bytes = size => new Uint8Array(size).fill(120)

function ours(name, kind, fn) {
  return {
    name,
    kind,
    async run({ samples }) {
      const fexec = await openExecutor()
      const once = () => fexec.getResult(fexec.map(fn, Array(COUNT).fill(SIZE)))
      await once()
      const rows = await wallSamples(samples, async () => {
        const values = await once()
        assertEqual(values.length, COUNT)
        assertEqual(values[COUNT - 1].length, SIZE)
      })
      await fexec.close()
      return rows
    },
  }
}

export const benchCase = {
  title: '20 results of 1 MiB each, warm',
  rounds: { full: 5, quick: 2 },
  samples: { full: 7, quick: 2 },
  metrics: [{ name: 'wall', label: 'map to all values', unit: 'ms', better: 'lower', target: { max: 60 } }],
  contenders: [
    ours('ours', 'ours', text),
    ours('ours, Uint8Array', 'variant', bytes),
    ...poolContenders(
      ['piscina, threads', 'tinypool', 'faast.js'],
      pool => Promise.all(range(COUNT).map(() => pool.run('blob', SIZE))),
      (pool, { samples }) =>
        wallSamples(samples, async () => {
          const values = await Promise.all(range(COUNT).map(() => pool.run('blob', SIZE)))
          assertEqual(values[COUNT - 1].length, SIZE)
        }),
    ).filter(({ name }) => !name.includes('64')),
    { name: 'Lithops (Python)', kind: 'peer', python: true, samples: { full: 2, quick: 1 }, note: 'bytes' },
  ],
}
