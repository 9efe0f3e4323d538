class Pipe {
  factor = 3
  #secret = 9
  run() {
    return (x: number) => x * this.factor
  }
  later() {
    return async (x: number, y = 1) => {
      await null
      return x * this.factor * y
    }
  }
  handler = (x: number) => x + this.factor
  static make() {
    return () => this.name
  }
  nested() {
    return () => () => this.factor * 2
  }
  secret() {
    return () => this.#secret
  }
}
const pipe = new Pipe()
const bare = function (this: any) { return (x: number) => x * this.k }.call({ k: 7 })
let touched = 0
const withDefault = function (this: any) { return (x = ++touched) => x + this.k }.call({ k: 1 })

export const cases = [
  { name: 'of a plain function', fn: bare, args: [6], expected: 42 },
  { name: 'of a method', fn: pipe.run(), args: [2], expected: 6 },
  { name: 'class field', fn: pipe.handler, args: [1], expected: 4 },
  { name: 'async with a default', fn: pipe.later(), args: [2], expected: 6 },
  { name: 'static', fn: Pipe.make(), expected: 'Pipe' },
  { name: 'nested arrows', fn: (function (this: any) { return () => [1].map(() => this.factor) }).call(pipe), expected: [3] },
  { name: 'returned arrow', fn: () => pipe.nested()()(), expected: 6 },
  { name: 'with private field', fn: pipe.secret(), expected: 9 },
  { name: 'the default ran only on the worker', fn: withDefault, afterCapture: () => { if (touched !== 0) throw new Error('the capture ran user code') }, expected: 2 },
]
