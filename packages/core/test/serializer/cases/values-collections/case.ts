const map = new Map<any, any>([['k', new Set([1, 2])], [{ id: 1 }, 'object key']])
map.set('self', map)
const set = new Set<any>([1, 'a', NaN])
const key = { id: 7 }
const keyed = new Map([[key, 'found']])

export const cases = [
  { name: 'map', fn: () => [map.get('k').has(2), map.get('self') === map, map.size], expected: [true, true, 3] },
  { name: 'set', fn: () => [...set], expected: [1, 'a', NaN] },
  { name: 'identity of keys', fn: () => keyed.get(key), expected: 'found' },
  { name: 'order', fn: () => [...new Map([...keyed.values()].map((value, i) => [i, value]))], expected: [[0, 'found']] },
]
