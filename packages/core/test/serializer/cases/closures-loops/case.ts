const lets: (() => number)[] = []; for (let i = 0; i < 3; i++) lets.push(() => i)
const incs: (() => number)[] = []; for (let i = 0; i < 3; i++) incs.push(() => ++i)
var vars: (() => number)[] = []; for (var v = 0; v < 3; v++) vars.push(() => v)
const ofs: (() => string)[] = []; for (const [k, { z }] of Object.entries({ a: { z: 1 }, b: { z: 2 } })) ofs.push(() => k + z)
const ins: (() => string)[] = []; for (const k in { x: 1, y: 2 }) ins.push(() => k)
const blocks: (() => number)[] = []; { const q = 10; blocks.push(() => q) } { const q = 20; blocks.push(() => q) }
const sw: (() => string)[] = []; switch (1 as number) { case 1: { const s = 'one'; sw.push(() => s) } default: const t = 'dflt'; sw.push(() => t) }
const tr: (() => string)[] = []; try { throw new Error('boom') } catch ({ message }) { tr.push(() => message as string) }
const whiles: (() => number)[] = []; let w = 0; while (w < 2) { const c = w++; whiles.push(() => c * 10 + w) }
export const cases = [
 { fn: () => [lets, vars, ofs, ins, blocks, sw, tr, whiles].map(l => (l as any[]).map(f => f())), expected: [[0, 1, 2], [3, 3, 3], ['a1', 'b2'], ['x', 'y'], [10, 20], ['one', 'dflt'], ['boom'], [2, 12]] },
 { fn: () => [incs[0]!(), incs[0]!(), incs[1]!(), incs[2]!()], expected: [1, 2, 2, 3] },
 { name: 'second', fn: lets[1]!, expected: 1 },
]
