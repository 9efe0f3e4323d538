const bound = function (this: any, a: number, b: number) {
  return [this.x, a, b]
}.bind({ x: 1 }, 2)
const boundTwice = function (this: any, ...rest: number[]) {
  return [this.x, ...rest]
}
  .bind({ x: 1 }, 2)
  .bind(null, 3)
const boundMethod = { base: 5, add(n: number) { return this.base + n } }
const add = boundMethod.add.bind(boundMethod)

export const cases = [
  { name: 'captured', fn: (b: number) => bound(b), args: [3], expected: [1, 2, 3] },
  { name: 'bound twice', fn: () => boundTwice(4), expected: [1, 2, 3, 4] },
  { name: 'as the function', fn: bound, args: [9], expected: [1, 2, 9] },
  { name: 'method', fn: add, args: [2], expected: 7 },
]
