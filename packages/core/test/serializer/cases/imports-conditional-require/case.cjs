let fast
try {
  fast = require('a-package-that-is-not-installed')
} catch {
  fast = undefined
}
const lazy = () => require('node:path')
exports.fn = () => [fast === undefined, lazy().basename('/a/b')]
exports.expected = [true, 'b']
