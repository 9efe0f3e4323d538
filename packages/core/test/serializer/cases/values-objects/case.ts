const frozen = Object.freeze({ z: 1 })
const sealed = Object.seal({ z: 1 })
const fixed = Object.preventExtensions({ z: 1 })
const bare = Object.assign(Object.create(null), { q: 2 })
const sparse = [1, , 3]
const accessor = {
  hidden: 4,
  get value() {
    return this.hidden * 2
  },
  set value(next: number) {
    this.hidden = next
  },
}
const described = Object.defineProperty({}, 'fixed', { value: 1, enumerable: false, writable: false }) as any
const bySymbol = { [Symbol.for('tag')]: 'tagged', [Symbol.toStringTag]: 'Mine' }
const withExtra = Object.assign([1, 2], { extra: 'x' })
const proto = { inherited: 1 }
const derived = Object.create(proto, { own: { value: 2, enumerable: true } })
const boxed = [Object(1), Object('s'), Object(true)]
const dollar = { $: 'u', v: 1 }
const underProto = JSON.parse('{"__proto__": 5}')

export const cases = [
  { name: 'frozen, sealed, fixed', fn: () => [Object.isFrozen(frozen), Object.isSealed(sealed), Object.isFrozen(sealed), Object.isExtensible(fixed)], expected: [true, true, false, false] },
  { name: 'no prototype', fn: () => [Object.getPrototypeOf(bare), bare.q], expected: [null, 2] },
  { name: 'sparse', fn: () => [1 in sparse, sparse.length], expected: [false, 3] },
  { name: 'accessors', fn: () => { accessor.value = 5; return [accessor.value, Object.getOwnPropertyDescriptor(accessor, 'value')!.set !== undefined] }, expected: [10, true] },
  { name: 'attributes', fn: () => ({ ...Object.getOwnPropertyDescriptor(described, 'fixed') }), expected: { value: 1, enumerable: false, writable: false, configurable: false } },
  { name: 'symbol keys', fn: () => [bySymbol[Symbol.for('tag')], String(bySymbol)], expected: ['tagged', '[object Mine]'] },
  { name: 'array with extra', fn: () => [withExtra.length, (withExtra as any).extra], expected: [2, 'x'] },
  { name: 'prototype chain', fn: () => [derived.inherited, derived.own, Object.hasOwn(derived, 'inherited')], expected: [1, 2, false] },
  { name: 'boxed', fn: () => boxed.map(value => typeof value), expected: ['object', 'object', 'object'] },
  { name: 'keys of the wire format', fn: (value: any) => [value, dollar], args: [{ $: 'n', v: 'NaN' }], expected: [{ $: 'n', v: 'NaN' }, { $: 'u', v: 1 }] },
  { name: '__proto__ as a key', fn: () => [Object.hasOwn(underProto, '__proto__'), Object.getPrototypeOf(underProto) === Object.prototype], expected: [true, true] },
]
