import { increment, registry, register } from './state.ts'
increment()
register('client')
// The state of an imported module is not copied: the worker loads the module afresh.
export const cases = [
  { name: 'counter', fn: () => increment(), expected: 1 },
  { name: 'registry', fn: () => [...registry.keys()], expected: ['initial'] },
]
