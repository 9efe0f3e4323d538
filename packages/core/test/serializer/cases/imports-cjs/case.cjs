const os = require('node:os')
const { join, sep: separator } = require('path')
const helper = require('./helper.cjs')
const { twice } = require('./helper.cjs')
let offset = 10
const local = x => helper.twice(x) + offset
exports.offset = offset

exports.cases = [
  { name: 'require', fn: x => [local(x), twice(x), helper.base], args: [2], expected: [14, 4, 5] },
  { name: 'built-ins', fn: () => [join('a', 'b'), separator, os.EOL], expected: ['a/b', '/', '\n'] },
  { name: 'require inside', fn: () => require('./helper.cjs').twice(4), expected: 8 },
  { name: 'exports', fn: () => exports.offset, expected: 10 },
]
