function viaArguments() {
  return Array.from(arguments)
}
export const cases = [
  { name: 'own arguments', fn: viaArguments, args: [1, 'b'], expected: [1, 'b'] },
  { name: 'of the enclosing function', fn: (function (..._: any[]) { return () => arguments[1] })(1, 'arg2'), expected: 'arg2' },
  { name: 'nested', fn: function (a: number) { return [1, 2].map(() => arguments.length + a) }, args: [10], expected: [11, 11] },
]
