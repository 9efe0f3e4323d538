const perIteration: (() => number)[] = []
for (let i = 0; i < 3; i++) perIteration.push(() => i)
const byVar: (() => number)[] = []
for (var k = 0; k < 3; k++) byVar.push(() => k)
const ofLoop: (() => string)[] = []
for (const item of ['a', 'b']) ofLoop.push(() => item)
const counters: { add: () => number; get: () => number }[] = []
for (let n = 0; n < 2; n++) {
  let total = n * 10
  counters.push({ add: () => ++total, get: () => total + n })
}

export const cases = [
  { name: 'let', fn: () => perIteration.map(f => f()), expected: [0, 1, 2] },
  { name: 'var', fn: () => byVar.map(f => f()), expected: [3, 3, 3] },
  { name: 'for of', fn: () => ofLoop.map(f => f()), expected: ['a', 'b'] },
  { name: 'state of each turn', fn: () => { counters[0]!.add(); return counters.map(c => c.get()) }, expected: [1, 11] },
]
