const factor = 3
module.exports = function triple(x) { return x * factor }
