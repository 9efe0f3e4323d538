const make = new Function('a', 'return a + 1')
const sum = Function('...n', 'return n.reduce((a, b) => a + b, 0)')
const counter = new Function('start', 'let n = start; return () => ++n')(4)

export const cases = [
  { name: 'as the function', fn: make, args: [1], expected: 2 },
  { name: 'captured', fn: () => sum(1, 2, 3), expected: 6 },
  { name: 'a closure made inside', fn: () => [counter(), counter()], expected: [5, 6] },
]
