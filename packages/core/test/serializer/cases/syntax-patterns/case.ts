let a = 1
let b = 2
const { host: { name: hostName = 'none', ...restOfHost }, ports: [first, , ...others] } = { host: { up: true } as any, ports: [1, 2, 3, 4] }
const [[deep]] = [[{ v: 5 }]] as const
export const cases = [
  { name: 'shorthand and assignment patterns', fn: () => { const o = { a, b }; ({ a, b = 3 } = { a: 10 } as any); return [o, a, b] }, expected: [{ a: 1, b: 2 }, 10, 3] },
  { name: 'captured from patterns', fn: () => [hostName, restOfHost, first, others, deep.v], expected: ['none', { up: true }, 1, [3, 4], 5] },
  { name: 'computed keys', fn: (k = 'k') => { const { [k]: got, ...rest } = { k: 1, other: 2 } as any; return [got, rest] }, expected: [1, { other: 2 }] },
  { name: 'swap', fn: () => { let x = 1, y = 2; [x, y] = [y, x]; return [x, y] }, expected: [2, 1] },
]
