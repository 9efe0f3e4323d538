let count = 0
const increment = () => ++count
function makeCounter() {
  let value = 0
  return { increment: () => ++value, get: () => value }
}
const first = makeCounter()
const second = makeCounter()
const makeStep = () => {
  let n = 0
  return () => ++n
}
const a = makeStep()
const b = makeStep()

export const cases = [
  { name: 'two closures over one let', fn: () => { increment(); increment(); return count }, expected: 2 },
  { name: 'of one call', fn: () => { first.increment(); first.increment(); return [first.get(), second.get()] }, expected: [2, 0] },
  { name: 'independent closures of one literal', fn: () => { a(); a(); return [a(), b()] }, expected: [3, 1] },
]
