async function* pages(n: number) { for (let i = 0; i < n; i++) { await null; yield i } }
const obj = { async *[Symbol.asyncIterator]() { yield 1; yield* pages(3) } }
class Tree { constructor(public v: number, public kids: Tree[] = []) {} *[Symbol.iterator](): Generator<number> { yield this.v; for (const k of this.kids) yield* k } }
const tree = new Tree(1, [new Tree(2, [new Tree(3)]), new Tree(4)])
export const cases = [
 { fn: async () => { const out = []; for await (const x of obj) out.push(x); for await (const p of pages(2)) out.push(p); return out }, expected: [1, 0, 1, 2, 0, 1] },
 { fn: () => [...tree], expected: [1, 2, 3, 4] },
 { fn: async () => { const g = pages(10); for await (const x of g) if (x === 3) break; return (await g.next()).done }, expected: true },
]
