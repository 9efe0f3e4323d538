let state = 5
exports.q = 7
exports.f = function f() { return exports.q + state }
exports.default = 'cjs-default'
