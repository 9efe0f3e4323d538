const double = (x: number) => x * 2
function countdown(x: number): number {
  return x > 0 ? countdown(x - 1) + 1 : 0
}
const upTo = function* (n: number) {
  for (let i = 0; i < n; i++) yield i
}
const twice = async function* () {
  yield 1
  yield 2
}
const later = async (x: number) => x + 1
const isEven = (n: number): boolean => (n === 0 ? true : isOdd(n - 1))
const isOdd = (n: number): boolean => (n === 0 ? false : isEven(n - 1))
function counted() {
  return counted.count++
}
counted.count = 3

export const cases = [
  {
    name: 'all kinds',
    fn: async (x: number) => {
      const seen: number[] = []
      for await (const value of twice()) seen.push(value)
      return [double(x), countdown(5), [...upTo(3)], seen, await later(1)]
    },
    args: [4],
    expected: [8, 5, [0, 1, 2], [1, 2], 2],
  },
  { name: 'mutual recursion', fn: (n: number) => isEven(n), args: [10], expected: true },
  { name: 'name and length', fn: () => [double.name, countdown.name, double.length], expected: ['double', 'countdown', 1] },
  { name: 'properties', fn: () => [counted(), counted.count], expected: [3, 4] },
]
