class Pair {
  *[Symbol.iterator]() { yield 1; yield 2 }
}
class Ticks {
  constructor(private n: number) {}
  async *[Symbol.asyncIterator]() { for (let i = 0; i < this.n; i++) yield i }
}
const pair = new Pair()
const ticks = new Ticks(3)

export const cases = [
  { name: 'class', fn: () => [...new Pair()], expected: [1, 2] },
  { name: 'instance', fn: () => [...pair], expected: [1, 2] },
  { name: 'async', fn: async () => { const seen = []; for await (const t of ticks) seen.push(t); return seen }, expected: [0, 1, 2] },
]
