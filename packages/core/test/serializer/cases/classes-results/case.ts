import { Point } from './point.ts'

class Box<T> {
  constructor(public value: T) {}
  open() { return this.value }
}
class Sealed { #inner: number; constructor(n: number) { this.#inner = n } read() { return this.#inner } }

export const cases = [
  { name: 'own class', fn: () => new Box(3), check: (result: any) => { if (!(result instanceof Box) || result.open() !== 3) throw new Error('not a Box') } },
  { name: 'in data', fn: () => ({ list: [new Box('a')], map: new Map([['k', new Box('b')]]) }), expected: { list: [new Box('a')], map: new Map([['k', new Box('b')]]) } },
  { name: 'imported class', fn: () => new Point(3, 4), check: (result: any) => { if (!(result instanceof Point) || result.length() !== 5) throw new Error('not a Point') } },
  // the client's class can only fill its private fields by running its constructor, so this is refused, not half done
  { name: 'private fields', fn: () => new Sealed(5), throws: (error: any) => { if (!/instance of class Sealed with #private fields/.test(error.message)) throw error } },
  { name: 'as argument', fn: (box: Box<number>) => [box instanceof Box, box.open()], args: [new Box(1)], expected: [true, 1] },
]
