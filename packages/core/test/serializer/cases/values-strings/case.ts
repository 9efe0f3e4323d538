const lone = '\ud800 lone surrogate'
const emoji = '👩‍🚀 café \u2028\u2029'
const quotes = '`${x}` "\' \\ \0 </script>'
const long = 'abc'.repeat(100_000)

export const cases = [
  { name: 'lone surrogate', fn: () => lone.charCodeAt(0), expected: 0xd800 },
  { name: 'unicode', fn: () => emoji, expected: emoji },
  { name: 'quotes', fn: () => quotes, expected: quotes },
  { name: 'long', fn: () => long.length, expected: 300_000 },
]
