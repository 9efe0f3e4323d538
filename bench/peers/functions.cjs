const { pbkdf2Sync } = require('node:crypto')
// faast.js finds a module's exports by `require`, so its functions are CommonJS.
exports.noop = x => x
exports.blob = size => 'x'.repeat(size)
exports.burn = loops => {
  const start = performance.now()
  // native work: a loop's speed depends on how and when each worker compiles it
  const key = pbkdf2Sync('key', 'salt', loops, 32, 'sha256')
  return [performance.now() - start, key[0]]
}
