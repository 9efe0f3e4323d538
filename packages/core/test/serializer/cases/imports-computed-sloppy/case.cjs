exports.cases = [
  { fn: async function (name) { this; return (await import(`./${name}.mjs`)).value }, args: ['there'], expected: 5 },
  { name: 'computed require', fn: name => require(name).sep, args: ['path'], expected: '/' },
]
