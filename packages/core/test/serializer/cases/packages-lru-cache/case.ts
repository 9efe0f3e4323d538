import { LRUCache } from 'lru-cache'
const cache = new LRUCache<string, number>({ max: 10 })
cache.set('a', 1)
const fresh = new LRUCache<string, number>({ max: 10 })
export const cases = [
  { name: 'filled: made anew, state lost', fn: () => [cache.get('a'), cache.max], expected: [undefined, 10], warns: /cache.*(state|lost)/is },
  { name: 'empty', fn: () => { fresh.set('b', 2); return fresh.get('b') }, expected: 2, warns: /fresh/ },
]
