const fallback = 42
const makeAdder = (base: number, step = base * 2, { offset = 1 } = {}) => (x: number) => x + base + step + offset
const withRest = (first: string, ...rest: string[]) => () => [first, ...rest]

export const cases = [
  { name: 'defaults and destructuring', fn: ({ a, b: [c = fallback] }: any = { a: 1, b: [] }, ...rest: any[]) => [a, c, rest.length], expected: [1, 42, 0] },
  { name: 'closure over defaulted parameters', fn: makeAdder(1), args: [10], expected: 14 },
  { name: 'closure over rest', fn: withRest('a', 'b', 'c'), expected: ['a', 'b', 'c'] },
  { name: 'default that uses a closure', fn: (x = makeAdder(0)(1)) => x, expected: 2 },
]
