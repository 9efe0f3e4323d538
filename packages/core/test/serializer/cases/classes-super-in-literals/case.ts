const base = { greet() { return 'hello' }, get mood() { return 'calm' } }
const child = {
  __proto__: base,
  greet() { return `${(super.greet as any)()} child` },
  get mood() { return `${super.mood}er` },
} as any
const later: any = { async greet() { return `${await (super.toString as any)()}` } }
Object.setPrototypeOf(later, { toString: () => 'from proto' })

export const cases = [
  { name: 'method and getter', fn: () => [child.greet(), child.mood], expected: ['hello child', 'calmer'] },
  { name: 'async method', fn: () => later.greet(), expected: 'from proto' },
]
