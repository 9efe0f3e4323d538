function sloppyThis() { return this === undefined ? 'undefined' : typeof this }
function strictThis() { 'use strict'; return this === undefined ? 'undefined' : typeof this }
function assignsSilently() { const o = Object.freeze({ a: 1 }); try { o.a = 2; return 'silent' } catch { return 'throws' } }

// Workers run strict code. A sloppy function either keeps its meaning or is refused; it never changes in silence.
exports.cases = [
  { name: 'strict', fn: () => strictThis(), expected: 'undefined' },
  { name: 'sloppy this', fn: () => sloppyThis(), expected: 'object' },
  { name: 'sloppy assignment', fn: () => assignsSilently(), expected: 'silent' },
]
