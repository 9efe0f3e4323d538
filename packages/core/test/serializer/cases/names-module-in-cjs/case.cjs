const module_ = 1
const $exports = 2
var self = 'self'
function exported() { return [module_, $exports, self] }
exports.fn = () => { const module = 'local', exports = 'too'; return [module, exports, exported()] }
exports.expected = ['local', 'too', [1, 2, 'self']]
