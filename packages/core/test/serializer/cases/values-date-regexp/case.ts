const date = new Date(1e12)
const invalid = new Date(Number.NaN)
const pattern = /x(\d+)/gi
const named = /(?<year>\d{4})-(?<month>\d\d)/u
const sticky = /a/y
sticky.lastIndex = 2
const global = /b/g
global.test('abab')

export const cases = [
  { name: 'date', fn: () => [date.toISOString(), Number.isNaN(invalid.getTime())], expected: [new Date(1e12).toISOString(), true] },
  { name: 'regexp', fn: () => ['ax12'.replace(pattern, '$1'), pattern.flags], expected: ['a12', 'gi'] },
  { name: 'named groups', fn: () => ({ ...named.exec('on 2024-05')!.groups }), expected: { year: '2024', month: '05' } },
  { name: 'lastIndex', fn: () => [sticky.test('bba'), global.lastIndex], expected: [true, 2] },
]
