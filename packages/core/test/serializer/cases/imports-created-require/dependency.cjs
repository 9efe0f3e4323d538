exports.value = 7; exports.Thing = class Thing { constructor(v) { this.v = v } }
