import vm from 'node:vm'
const foreign = vm.runInNewContext('({ list: [1, 2], map: new Map([["k", 1]]), date: new Date(0), error: new TypeError("far") })')
const add = vm.runInNewContext('(base => x => x + base)(10)')
export const cases = [
  { name: 'values of another realm', fn: () => [foreign.list.length, foreign.map.get('k'), foreign.date.getTime(), foreign.error.message], expected: [2, 1, 0, 'far'] },
  { name: 'a function of another realm', fn: add, args: [5], expected: 15 },
]
