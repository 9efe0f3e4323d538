const seen = new WeakMap<TemplateStringsArray, number>()
let made = 0
const tag = (strings: TemplateStringsArray, ...values: unknown[]) => { if (!seen.has(strings)) seen.set(strings, ++made); return [strings.raw.join('|'), values, seen.get(strings)] }
const render = (x: number) => tag`a\n${x}b`
const keys = (strings: TemplateStringsArray) => strings
const same = () => keys`fixed`
const kept = keys`kept ${'by value'} end\t`
export const cases = [
  { name: 'raw and one object per place', fn: () => [render(1), render(2)], expected: [['a\\n|b', [1], 1], ['a\\n|b', [2], 1]] },
  { name: 'identity', fn: () => same() === same(), expected: true },
  { name: 'captured strings array', fn: () => [kept.raw, [...kept], Object.isFrozen(kept)], expected: [['kept ', ' end\\t'], ['kept ', ' end\t'], true] },
  { name: 'String.raw', fn: () => String.raw`\u00e9${made >= 0}`, expected: '\\u00e9true' },
]
