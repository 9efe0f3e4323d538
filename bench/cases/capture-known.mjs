import { captureContenders, makeClosure } from '../lib/capture-contenders.mjs'
import { wallSamples } from '../lib/timing.mjs'

export const benchCase = {
  title: 'Capture of a closure that was captured before',
  rounds: { full: 3, quick: 1 },
  samples: { full: 200, quick: 50 },
  nodes: ['current', '24'],
  metrics: [
    { name: 'wall', label: 'one capture', unit: 'ms', better: 'lower', target: { max: 0.5, node: '24' } },
  ],
  contenders: captureContenders(async (capture, { samples }) => {
    const closure = makeClosure(2)
    for (let i = 0; i < 50; i++) await capture(closure)
    return wallSamples(samples, () => capture(closure))
  }),
}
