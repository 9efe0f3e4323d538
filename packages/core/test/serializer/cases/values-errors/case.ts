const failure = new RangeError('bad', { cause: { code: 5 } })
const many = new AggregateError([new TypeError('a'), new Error('b')], 'many')
const coded = Object.assign(new Error('coded'), { code: 'E_CODE', details: new Map([['k', 1]]) })

export const cases = [
  { name: 'captured', fn: () => [failure instanceof RangeError, failure.message, (failure.cause as any).code, failure.stack!.includes('case.ts')], expected: [true, 'bad', 5, true] },
  { name: 'AggregateError', fn: () => [many instanceof AggregateError, many.errors.map(error => error.name)], expected: [true, ['TypeError', 'Error']] },
  { name: 'own fields', fn: () => [coded.code, coded.details.get('k')], expected: ['E_CODE', 1] },
  { name: 'as result', fn: () => new SyntaxError('returned', { cause: 1 }), check: (error: any) => { if (!(error instanceof SyntaxError) || error.cause !== 1 || error.message !== 'returned') throw error } },
]
