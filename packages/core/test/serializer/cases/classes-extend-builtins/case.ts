import { EventEmitter } from 'node:events'

class Emitter extends EventEmitter {
  go() {
    let received: unknown
    this.on('x', value => { received = value })
    this.emit('x', 4)
    return received
  }
}
class SumMap extends Map<number, number> {
  sum() { let s = 0; for (const v of this.values()) s += v; return s }
}
class Stack<T> extends Array<T> { peek() { return this.at(-1) } }
class Day extends Date { day() { return this.toISOString().slice(0, 10) } }
class Unique extends Set<string> { override add(value: string) { return super.add(value.toLowerCase()) } }
const map = new SumMap([[1, 2], [3, 4]])
const stack = Stack.from([1, 2, 3]) as Stack<number>
const day = new Day(0)
const unique = new Unique(['A', 'a'])

export const cases = [
  { name: 'EventEmitter', fn: () => new Emitter().go(), expected: 4 },
  { name: 'Map', fn: () => [map.sum(), map instanceof SumMap], expected: [6, true] },
  { name: 'Array', fn: () => [stack.peek(), stack.length, stack instanceof Stack], expected: [3, 3, true] },
  { name: 'Date', fn: () => [day.day(), day instanceof Day], expected: ['1970-01-01', true] },
  { name: 'Set', fn: () => [[...unique], unique.has('a')], expected: [['a'], true] },
]
