import { measureWithTsx } from '../lib/tsx-contender.mjs'

const contender = (name, kind) => ({
  name,
  kind: kind === 'ours' ? 'ours' : 'peer',
  run: ({ samples }) => measureWithTsx('container-start-contender.mjs', kind, samples),
})

export const benchCase = {
  title:
    'A real container of the default image, by podman: from `podman run` to the first line of user code. The aim is 150 ms more than ' +
    'node alone in the same image at the most',
  rounds: { full: 3, quick: 1 },
  samples: { full: 10, quick: 3 },
  metrics: [
    { name: 'start', label: 'until user code', unit: 'ms', better: 'lower' },
    { name: 'ownMb', label: 'image over its base', unit: 'MB', better: 'lower', target: { max: 6 } },
  ],
  contenders: [contender('ours, a call', 'ours'), contender('node -e', 'bare')],
}
