const base = 5
function twice(x) { return x * 2 }
module.exports = { twice, base }
