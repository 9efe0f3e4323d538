class Priv {
  #x = 1
  static #count = 0
  static ready = false
  bump() {
    Priv.#count++
    return ++this.#x + Priv.#count
  }
  static { this.ready = true }
}
const used = new Priv()
used.bump()
used.bump()

export const cases = [
  { name: 'instance and static counters', fn: () => [used.bump(), used instanceof Priv], expected: [7, true] },
  { name: 'new instance', fn: () => { const p = new Priv(); return [p.bump(), Priv.ready] }, expected: [5, true] },
]
