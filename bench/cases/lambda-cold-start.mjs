import { measureWithTsx } from '../lib/tsx-contender.mjs'

const contender = (name, kind) => ({
  name,
  kind: kind === 'ours' ? 'ours' : 'peer',
  run: ({ samples }) => measureWithTsx('cold-start-contender.mjs', kind, samples),
})

export const benchCase = {
  title:
    'Cold start on AWS Lambda, under its runtime interface client: from the start of the process to the first line of user code. ' +
    'The aim is 60 ms more than a bare handler at the most',
  rounds: { full: 3, quick: 1 },
  samples: { full: 20, quick: 10 },
  metrics: [
    { name: 'start', label: 'until user code', unit: 'ms', better: 'lower' },
    { name: 'zipKib', label: 'zip', unit: 'KiB', better: 'lower', target: { max: 300 } },
  ],
  contenders: [contender('ours, a call', 'ours'), contender('a bare handler', 'bare')],
}
