import path = require('node:path')
import { twice } from './helper.cts'
import * as helper from './helper.cts'
const base: number = 3
class Counter { static #n = 0; next = () => ++Counter.#n + base }
const counter = new Counter()
export const cases = [
  { name: 'imports', fn: (x: number) => [twice(x), helper.twice(x), path.basename('/a/b')], args: [2], expected: [4, 4, 'b'] },
  { name: 'arrow field', fn: counter.next, expected: 4 },
]
