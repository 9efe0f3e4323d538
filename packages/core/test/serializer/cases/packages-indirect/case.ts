// V8 keeps no value of what only initializers use: those are made again with what needs them.
import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import pino from 'pino'
const most = 4
const limits = { max: most + 1, ttl: 60 * 1000 }
const cache = new LRUCache<string, number>(limits)
const level = 'silent'
const app = { log: pino({ level }), name: `app of ${level}`, sum: (a: number, b: number) => a + b }
const makeCache = (max: number) => new LRUCache<string, number>({ max })
const other = makeCache(7)
const id = randomUUID()
const salt = randomUUID()
const salted = new LRUCache<string, string>({ max: 1, ttl: salt.length })
let counter = 0
const ids = Array.from({ length: 2 }, () => counter++)
export const cases = [
  { name: 'options in a const', fn: () => [cache.max, cache.ttl], expected: [5, 60_000], warns: /'cache' \(declared/ },
  { name: 'in an object', fn: () => [app.log.level, app.name, app.sum(1, 2)], expected: ['silent', 'app of silent', 3], warns: /'app' \(declared/ },
  { name: 'by a function of the file', fn: () => other.max, expected: 7, warns: /'other' \(declared/ },
  { name: 'what is called again', fn: () => salted.ttl, expected: 36, warns: /'salt' \(declared.*only initializers use/ },
  { name: 'values that need not be made again', fn: () => [id, ids], expected: [id, [0, 1]] },
]
