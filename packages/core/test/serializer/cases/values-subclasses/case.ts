class Numbers<T> extends Array<T> {
  static get [Symbol.species]() { return Array }
  sum() { return this.reduce((a: any, b: any) => a + b, 0) }
}
class Stack extends Array<number> { tag = 'st'; peek() { return this[this.length - 1] } }
class Later<T> extends Promise<T> { static extra = 'e'; tap() { return this.then(x => x) } }
class Lists<K, V> extends Map<K, V[]> {
  override get(key: K) { if (!this.has(key)) this.set(key, []); return super.get(key) }
}
class Bytes extends Uint8Array { label = 'b'; total() { return this.reduce((a, b) => a + b, 0) } }
class Site extends URL { port2 = 8080; origin2() { return `${this.origin}:${this.port2}` } }
const numbers = Numbers.from([1, 2, 3]) as Numbers<number>
const stack = Stack.of(1, 2, 9) as Stack
const lists = new Lists<string, number>([['a', [1]]])
const bytes = new Bytes([1, 2, 3])
const site = new Site('https://a.test/b')
const plain = new Uint8Array([4, 5])
const isRight = (b: any) => b instanceof Bytes && b.total() === 6 && b.label === 'b'
export const cases = [
  { name: 'species', fn: () => [numbers.sum(), numbers instanceof Numbers, numbers.map(x => x) instanceof Numbers], expected: [6, true, false] },
  { name: 'arrays', fn: () => [stack.peek(), stack.tag, stack.filter(x => x > 1) instanceof Stack, stack.length], expected: [9, 'st', true, 3] },
  { name: 'maps', fn: () => { lists.get('b')!.push(2); return [...lists] }, expected: [['a', [1]], ['b', [2]]] },
  { name: 'promises', fn: async () => [await Later.resolve(3).then(x => x * 2), Later.resolve(1).tap() instanceof Later, Later.extra], expected: [6, true, 'e'] },
  { name: 'views', fn: () => [bytes.total(), bytes instanceof Bytes, bytes.subarray(1).total(), bytes.label], expected: [6, true, 5, 'b'] },
  { name: 'views as items and results', fn: (b: Bytes) => { if (!isRight(b)) throw new Error('not it'); return [b, plain] }, args: [bytes], check: ([b, p]: any) => { if (!isRight(b) || p.constructor !== Uint8Array) throw new Error('not it') } },
  { name: 'URLs', fn: () => [site.origin2(), site.pathname, site instanceof Site], expected: ['https://a.test:8080', '/b', true] },
]
