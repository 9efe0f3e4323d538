import { captureContenders, makeClosure } from '../lib/capture-contenders.mjs'
import { wallSamples } from '../lib/timing.mjs'

export const benchCase = {
  title: 'Capture of 1,000 fresh closures',
  rounds: { full: 3, quick: 1 },
  samples: { full: 3, quick: 1 },
  nodes: ['current', '24'],
  metrics: [
    { name: 'wall', label: '1,000 captures', unit: 'ms', better: 'lower', target: { max: 500, node: '24' } },
  ],
  contenders: captureContenders(async (capture, { samples }) => {
    for (let i = 0; i < 20; i++) await capture(makeClosure(-i))
    return wallSamples(samples, async () => {
      for (let i = 0; i < 1000; i++) await capture(makeClosure(i))
    })
  }),
}
