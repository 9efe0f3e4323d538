function Old(a) { this.a = a }
Old.prototype.get = function () { return this.a }
function Sub(a) { Old.call(this, a) }
Sub.prototype = Object.create(Old.prototype)
Sub.prototype.constructor = Sub
const util = require('node:util')
function Inherited() {}
util.inherits(Inherited, Old)
const old = new Sub(3)

exports.cases = [
  { name: 'constructors', fn: () => [new Sub(4).get(), old.get(), old instanceof Old], expected: [4, 3, true] },
  { name: 'util.inherits', fn: () => new Inherited() instanceof Old, expected: true },
]
