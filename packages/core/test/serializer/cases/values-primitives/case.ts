const text = 'str'
const float = 1.5
const yes = true
const nothing = null
const missing = undefined
const big = 10n ** 30n
const negativeZero = -0
const notANumber = NaN
const infinite = -Infinity
const wellKnown = Symbol.iterator
const registered = Symbol.for('lithops.corpus')

export const cases = [
  {
    name: 'captured',
    fn: () => [text, float, yes, nothing, missing, big, negativeZero, notANumber, infinite],
    expected: ['str', 1.5, true, null, undefined, 10n ** 30n, -0, NaN, -Infinity],
  },
  {
    name: 'symbols',
    fn: () => [wellKnown === Symbol.iterator, registered === Symbol.for('lithops.corpus')],
    expected: [true, true],
  },
  {
    name: 'as arguments and result',
    fn: (...args: unknown[]) => args,
    args: ['str', 1.5, false, null, undefined, 12n, -0, NaN, Infinity],
    expected: ['str', 1.5, false, null, undefined, 12n, -0, NaN, Infinity],
  },
]
