const limit = 2
export const cases = [
  { name: 'labels', fn: () => { const out = []; outer: for (let i = 0; i < 3; i++) { for (let j = 0; j < 3; j++) { if (j === limit) continue outer; if (i === limit) break outer; out.push([i, j]) } } return out }, expected: [[0, 0], [0, 1], [1, 0], [1, 1]] },
  { name: 'switch scopes', fn: (k: string) => { switch (k) { case 'a': { const limit = 9; return limit } default: return limit } }, args: ['b'], expected: 2 },
  { name: 'catch scopes', fn: () => { try { throw 5 } catch (limit) { return limit } }, expected: 5 },
  { name: 'finally', fn: () => { const log = []; try { log.push(1); return log } finally { log.push(limit) } }, expected: [1, 2] },
  { name: 'shadowing', fn: (() => { const x = 1; return () => { const inner = (x: number) => x + 1; { const x = 40; void x } return inner(x) + x } })(), expected: 3 },
  { name: 'hoisted var', fn: () => { if (limit > 5) { var late = 1 } return typeof late }, expected: 'undefined' },
]
