import data from './data.json' with { type: 'json' }
import { createRequire } from 'node:module'
const viaRequire = createRequire(import.meta.url)('./data.json')
export const cases = [
  { name: 'import attribute', fn: () => [data.name, data.list.length], expected: ['corpus', 3] },
  { name: 'require', fn: () => viaRequire.list, expected: [1, 2, 3] },
]
