const $h = 'h'
const $f = (x: number) => `f${x}`
const _ = '_'
let v = 'v'
const o = 'o'
const n = 'n'
const exports_ = 'e'
class Item { #x = 1; #v = 2; read(v: number) { return [this.#x, this.#v, v] } set value(v: number) { v = v + 1; this.#x = v } get value() { return this.#x } }
const item = new Item()
const holder = { get done() { return 'done' }, fns: 1, $h: 2 }
const __name = 'mine'

export const cases = [
  { name: 'emitted names', fn: () => [$h, $f(1), _, v, o, n, exports_, __name], expected: ['h', 'f1', '_', 'v', 'o', 'n', 'e', 'mine'] },
  { name: 'assigned', fn: () => { v = 'changed'; return v }, expected: 'changed' },
  { name: 'private setters', fn: () => { item.value = 5; return [item.read(3), item.value] }, expected: [[6, 2, 3], 6] },
  { name: 'members', fn: () => [holder.done, holder.fns, holder.$h], expected: ['done', 1, 2] },
  { name: 'parameters', fn: ($h: number, $f: number, require = 3, module = 4) => [$h, $f, require, module], args: [1, 2], expected: [1, 2, 3, 4] },
]
