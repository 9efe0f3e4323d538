const base = { rate: 2 }; let calls = 0
const next = () => ++calls
const f = (x = base.rate, { y = next(), ...rest } = { y: undefined as any, z: 1 }, [z = x + y] = [], g = () => x + z) => [x, y, z, g(), rest]
function h(a: number, b = a * base.rate, c = () => a + b) { a = 100; return [a, b, c()] }
export const cases = [ { fn: () => f(), expected: [2, 1, 3, 5, { z: 1 }] }, { fn: () => h(1), expected: [100, 2, 102] }, { fn: (x: number, _ctx: unknown, y = base.rate) => x * y, args: [3], expected: 6 } ]
