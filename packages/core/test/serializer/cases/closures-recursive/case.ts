const make = (depth: number) => { const walk = (n: number): number => (n === 0 ? depth : walk(n - 1)); return walk }
const walk3 = make(3)
const tree = { value: 1, children: [{ value: 2, children: [] as any[] }] }
const sum = (node: any): number => node.value + node.children.map(sum).reduce((a: number, b: number) => a + b, 0)
const registry: Record<string, Function> = {}
registry.self = () => registry.other!()
registry.other = () => Object.keys(registry)

export const cases = [
  { name: 'named by a closure', fn: () => walk3(10), expected: 3 },
  { name: 'passed as a callback', fn: () => sum(tree), expected: 3 },
  { name: 'through an object', fn: () => registry.self!(), expected: ['self', 'other'] },
  { name: 'named function expression', fn: function fact(n: number): number { return n < 2 ? 1 : n * fact(n - 1) }, args: [4], expected: 24 },
]
