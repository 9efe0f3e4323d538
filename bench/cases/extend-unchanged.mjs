import { measureWithTsx } from '../lib/tsx-contender.mjs'

const contender = (name, kind) => ({
  name,
  kind: kind === 'command' ? 'ours' : kind === 'bare' ? 'peer' : 'variant',
  run: ({ samples }) => measureWithTsx('extend-unchanged-contender.mjs', kind, samples),
})

export const benchCase = {
  title: 'lithops runtime extend with nothing changed, on stand-ins of a cluster and its registry',
  rounds: { full: 3, quick: 1 },
  samples: { full: 7, quick: 3 },
  metrics: [
    { name: 'wall', label: 'all of it', unit: 'ms', better: 'lower', target: { max: 300 } },
    { name: 'pushes', label: 'pushes', unit: '', better: 'lower', target: { max: 0 } },
  ],
  contenders: [
    contender('ours, the command', 'command'),
    contender('in a program', 'program'),
    contender('node -e 0', 'bare'),
  ],
}
