const object = {
  factor: 3,
  add(x: number) {
    return x + this.factor
  },
  async later() {
    return this.factor
  },
  *each() {
    yield this.factor
  },
  ['comp' + 1]() {
    return 'c'
  },
  get value() {
    return this.factor
  },
} as any
const { comp1 } = object

export const cases = [
  { name: 'methods', fn: async () => [object.add(1), await object.later(), [...object.each()], object.comp1(), object.value], expected: [4, 3, [3], 'c', 3] },
  { name: 'computed name alone', fn: () => comp1(), expected: 'c' },
  { name: 'a method as the function', fn: comp1, expected: 'c' },
  { name: 'spread with methods', fn: () => ({ ...object, factor: 10 }).add(1), expected: 11 },
]
