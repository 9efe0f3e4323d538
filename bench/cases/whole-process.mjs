import { NotBuiltError } from '../lib/ours.mjs'
import { peerFile } from '../lib/peers.mjs'

export const benchCase = {
  title: 'A whole process with one call, nothing warm but the disk cache',
  rounds: { full: 15, quick: 3 },
  // A first run fills the disk caches and is not counted.
  warmupRounds: 1,
  metrics: [
    {
      name: 'wall',
      label: 'start to exit',
      unit: 'ms',
      better: 'lower',
      target: { max: 3, times: 'node -e 0' },
    },
  ],
  contenders: [
    { name: 'node -e 0', kind: 'floor', command: ({ node }) => [node, '-e', '0'] },
    {
      name: 'ours',
      kind: 'ours',
      async ready() {
        const core = await import('@lithops/core').catch(() => ({}))
        if (!core.FunctionExecutor) throw new NotBuiltError('FunctionExecutor')
      },
      command: ({ node }) => [node, peerFile('once-ours.mjs')],
      stdout: '2',
    },
    {
      name: 'faast.js, child process (default)',
      kind: 'peer',
      command: ({ node }) => [node, peerFile('once-faast.cjs')],
      stdout: '2',
    },
    {
      name: 'faast.js, in-process',
      kind: 'peer',
      command: ({ node }) => [node, peerFile('once-faast.cjs'), 'in-process'],
      stdout: '2',
    },
    {
      name: 'Lithops (Python)',
      kind: 'peer',
      python: true,
      command: ({ python }) => [python, peerFile('once-lithops.py')],
      stdout: '2',
    },
  ],
}
