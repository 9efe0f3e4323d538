const re = /[\p{L}--[a-z]]/v
const big = 1_000_000n
class Q { static #p = 1; static has = o => #p in o; 'quoted name' = 1; 42 = 'num'; static async *gen() { yield Q.#p } accessor = 2 }
export const cases = [
  { name: 'regexp v flag', fn: () => ['é', 'a'].map(x => re.test(x)), expected: [true, false] },
  { name: 'numeric separators', fn: () => big, expected: 1000000n },
  { name: 'class members', fn: async () => { const q = new Q(); return [Q.has(Q), q['quoted name'], q[42], q.accessor, (await Q.gen().next()).value] }, expected: [true, 1, 'num', 2, 1] },
  { name: 'hashbang of nothing', fn: () => [..."a😀"].length, expected: 2 },
  { name: 'async arrow in parameter', fn: async (f = async () => 3) => await f(), expected: 3 },
  { name: 'nested templates', fn: () => `a${`b${[1].map(x => `c${x}`)}`}`, expected: 'abc1' },
]
