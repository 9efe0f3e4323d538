const key = { id: 1 }
let byObject = new WeakMap<object, any>([[key, { v: 'x', key }], [{}, 'other']])
byObject = byObject
const seen = new WeakSet([key])
const unseen = {}

export const cases = [
  { name: 'entries with captured keys', fn: () => [byObject.get(key).v, byObject.get(key).key === key, seen.has(key)], expected: ['x', true, true] },
  { name: 'others stay out', fn: () => [seen.has(unseen), byObject.has(unseen)], expected: [false, false] },
]
