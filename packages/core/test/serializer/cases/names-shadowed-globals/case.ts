const process = { env: { MODE: 'mine' } }
const console = { log: (text: string) => `logged ${text}` }
const Math = { max: () => 'no maths' }
const fetch = async (url: string) => `fetched ${url}`
const Promise_ = globalThis.Promise
const name = 'a module-level name'
const undefined_ = undefined
const Buffer = { from: (x: string) => [x] }
function require(what: string) { return `required ${what}` }
const Array = globalThis.Array

export const fn = async () => [process.env.MODE, console.log('x'), Math.max(), await fetch('u'), name, require('r'), Buffer.from('b'), Array.isArray([]), Promise_ === globalThis.Promise, undefined_]
export const expected = ['mine', 'logged x', 'no maths', 'fetched u', 'a module-level name', 'required r', ['b'], true, true, undefined]
