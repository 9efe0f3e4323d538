const été = 1
const \u0061bc = 2
const 变量 = { 值: 3 }
const $ = 4
const ünï = function 名前() { return 名前.name }
export const cases = [
  { name: 'identifiers', fn: () => [été, abc, 变量.值, $, ünï()], expected: [1, 2, 3, 4, '名前'] },
  { name: 'escaped in the body', fn: () => \u0061bc + été, expected: 3 },
  { name: 'non-ASCII before the function', fn: (/* 😀é */ x = 'é') => x + été, expected: 'é1' },
]
