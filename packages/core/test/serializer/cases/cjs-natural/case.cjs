const path = require('path'), { readFileSync: rf, ...fsRest } = require('fs')
const lib = require('./lib.cjs'), { helper } = require('./lib.cjs'), Klass = require('./klass.cjs')
const Lazy = () => require('./lazy.cjs')
const name = 'join'
function Old(n) { if (!(this instanceof Old)) return new Old(n); this.n = n }
Old.prototype.get = function () { return this.n }; Old.prototype.self = function () { var me = this; return function () { return me.n } }
Old.make = function (n) { return new Old(n) }
require('util').inherits(Newer, Old); function Newer(n) { Old.call(this, n); this.extra = true } Newer.prototype.get = function () { return 'new ' + Old.prototype.get.call(this) }
const o = Old(4), nw = new Newer(6); implicit = 'global!'
var self = this
exports.notExportedLocal = 1
exports.cases = [
 { fn: () => [path.basename('/a/b'), path[name]('a', 'b'), typeof rf, typeof fsRest.writeFileSync], expected: ['b', 'a/b', 'function', 'function'] },
 { fn: () => [lib.helper(1), helper(2), lib.nested.deep(), new Klass(3).v, Lazy().lazy, lib.counter()], expected: [2, 3, 'deep', 3, 'lazy', 1] },
 { fn: () => [o.get(), Old.make(1).self()(), nw.get(), nw.extra, nw instanceof Old, Old(9).n], expected: [4, 1, 'new 6', true, true, 9] },
 { fn: () => [implicit, typeof self, typeof module, typeof exports, __filename.endsWith('case.cjs'), typeof require], expected: ['global!', 'object', 'object', 'object', true, 'function'] },
 { fn: function () { x1 = 5; return [typeof this, delete globalThis.x1, arguments.length, 010] }, args: [1, 2], expected: ['object', true, 2, 8] },
 { fn: n => require(n).sep, args: ['path'], expected: '/' },
 { fn: () => { const os = require('node:os'); return typeof os.cpus }, expected: 'function' },
]
