import { openExecutor } from '../lib/ours.mjs'
import { poolContenders } from '../lib/peers.mjs'
import { assertEqual, wallSamples } from '../lib/timing.mjs'

const noop = x => x

export const benchCase = {
  title: 'One call on a warm executor, submit to value',
  rounds: { full: 5, quick: 2 },
  samples: { full: 200, quick: 30 },
  metrics: [{ name: 'wall', label: 'submit to value', unit: 'ms', better: 'lower', target: { max: 1 } }],
  contenders: [
    {
      name: 'ours',
      kind: 'ours',
      async run({ samples }) {
        const fexec = await openExecutor()
        for (let i = 0; i < 50; i++) await fexec.callAsync(noop, i).result()
        const rows = await wallSamples(samples, async i =>
          assertEqual(await fexec.callAsync(noop, i).result(), i),
        )
        await fexec.close()
        return rows
      },
    },
    ...poolContenders(
      ['piscina, threads', 'tinypool', 'faast.js'],
      async pool => {
        for (let i = 0; i < 50; i++) await pool.run('noop', i)
      },
      (pool, { samples }) => wallSamples(samples, async i => assertEqual(await pool.run('noop', i), i)),
    ).filter(({ name }) => !name.includes('64')),
    { name: 'Lithops (Python)', kind: 'peer', python: true, samples: { full: 5, quick: 2 } },
  ],
}
