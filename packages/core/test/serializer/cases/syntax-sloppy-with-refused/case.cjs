const scope = { hidden: 1 }
exports.fn = function () { with (scope) { return hidden } }
exports.fails = /with/
