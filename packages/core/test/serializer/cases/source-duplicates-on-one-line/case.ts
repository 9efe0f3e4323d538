const [a, b] = [1, 2].map(n => () => n); const c = () => a!() + b!(); const d = () => a!() + b!()
export const cases = [{ name: 'first', fn: c, expected: 3 }, { name: 'second', fn: d, expected: 3 }, { name: 'comment twins', fn: () => [(() => 1)(), (() => 1)()], expected: [1, 1] }]
