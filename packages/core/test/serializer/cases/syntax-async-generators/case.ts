async function* source(n: number) { for (let i = 1; i <= n; i++) { await null; yield i } }
async function* mapped(it: AsyncIterable<number>, f: (n: number) => number) { for await (const x of it) yield f(x) }
const factor = 3
const object = { async *stream() { yield* [1, 2] } }
export const cases = [
  { name: 'pipeline', fn: async () => { const out: number[] = []; for await (const x of mapped(source(3), n => n * factor)) out.push(x); return out }, expected: [3, 6, 9] },
  { name: 'method, delegation', fn: async () => { async function* g() { yield 0; yield* object.stream() } const out = []; for await (const v of g()) out.push(v); return out }, expected: [0, 1, 2] },
  { name: 'return and finally', fn: async () => { const log: string[] = []; async function* g() { try { yield 1; yield 2 } finally { log.push('closed') } } for await (const _ of g()) break; return log }, expected: ['closed'] },
]
