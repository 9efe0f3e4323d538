const max = Math.max
const has = Object.prototype.hasOwnProperty
const parse = Number.parseInt

export const cases = [
  { name: 'captured', fn: () => [max(1, 2), has.call({ a: 1 }, 'a'), parse('12px', 10)], expected: [2, true, 12] },
  { name: 'as the function', fn: Math.max, args: [1, 5], expected: 5 },
  { name: 'identity', fn: () => [max === Math.max, has === Object.prototype.hasOwnProperty], expected: [true, true] },
  { name: 'a static method', fn: JSON.stringify, args: [{ a: 1 }], expected: '{"a":1}' },
]
