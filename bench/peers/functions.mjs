import { pbkdf2Sync } from 'node:crypto'
// What the thread and process pools run; the same bodies as in functions.cjs.
export const noop = x => x
export const blob = size => 'x'.repeat(size)
export function burn(loops) {
  const start = performance.now()
  // native work: a loop's speed depends on how and when each worker compiles it
  const key = pbkdf2Sync('key', 'salt', loops, 32, 'sha256')
  return [performance.now() - start, key[0]]
}
