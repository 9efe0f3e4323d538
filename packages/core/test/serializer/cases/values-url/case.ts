const base = new URL('https://user@example.com:8080/path?q=1#h')
const query = new URLSearchParams('a=1&a=2')
let moved = new URL('http://a/')
moved.searchParams.set('n', '5')
moved = moved

export const cases = [
  { name: 'URL', fn: () => [base.port, base.searchParams.get('q'), new URL('../x', base).href, base instanceof URL], expected: ['8080', '1', 'https://user@example.com:8080/x', true] },
  { name: 'URLSearchParams', fn: () => query.getAll('a'), expected: ['1', '2'] },
  { name: 'changed URL', fn: () => moved.href, expected: 'http://a/?n=5' },
]
