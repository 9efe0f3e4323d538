let n = 1
const list = [1]
const seen = new Map([['a', 1]])

export const cases = [
  { name: 'variable', fn: () => n, afterCapture: () => { n = 2 }, expected: 1 },
  { name: 'array', fn: () => list, afterCapture: () => { list.push(2) }, expected: [1] },
  { name: 'map', fn: () => [...seen.keys()], afterCapture: () => { seen.set('b', 2) }, expected: ['a'] },
]
