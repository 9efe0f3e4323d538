class Money {
  constructor(readonly cents: number) {}
  toJSON() { return { money: this.cents } }
  [Symbol.toPrimitive](hint: string) { return hint === 'number' ? this.cents : `${this.cents}c` }
  static [Symbol.hasInstance](value: any) { return typeof value?.cents === 'number' }
}
const price = new Money(5)
export const cases = [
  { name: 'protocols', fn: () => [JSON.stringify(price), +price, `${price}`, { cents: 1 } instanceof Money], expected: ['{"money":5}', 5, '5c', true] },
  { name: 'toJSON is not applied to results', fn: () => ({ price }), check: (result: any) => { if (result.price.constructor !== Money || result.price.cents !== 5) throw new Error('lost its class') } },
]
