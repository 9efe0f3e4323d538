// faast.js finds a module's exports by `require`, so its functions are CommonJS.
exports.noop = x => x
exports.blob = size => 'x'.repeat(size)
exports.burn = loops => {
  const start = performance.now()
  let x = 0
  for (let i = 0; i < loops; i++) x = (Math.imul(x, 31) + i) | 0
  return [performance.now() - start, x]
}
