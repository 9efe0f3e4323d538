import * as tools from './tools.ts'
const table = { tools, pick: tools.pick }
const { pick: renamed, ...others } = tools
const choose = (name: 'pick' | 'drop') => tools[name]
export const cases = [
  { name: 'in an object', fn: () => [table.tools.pick(1), table.pick(2)], expected: ['pick 1', 'pick 2'] },
  { name: 'destructured', fn: () => [renamed(3), others.drop(4)], expected: ['pick 3', 'drop 4'] },
  { name: 'computed', fn: () => choose('drop')(5), expected: 'drop 5' },
]
