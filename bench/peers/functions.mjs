// What the thread and process pools run; the same bodies as in functions.cjs.
export const noop = x => x
export const blob = size => 'x'.repeat(size)
export function burn(loops) {
  const start = performance.now()
  let x = 0
  for (let i = 0; i < loops; i++) x = (Math.imul(x, 31) + i) | 0
  return [performance.now() - start, x]
}
