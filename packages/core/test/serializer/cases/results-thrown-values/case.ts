const boom = (message: string) => { throw new TypeError(message) }
export const cases = [
  { name: 'a string', fn: () => { throw 'just text' }, throws: (e: unknown) => { if (e !== 'just text') throw e } },
  { name: 'an object', fn: () => { throw { code: 5 } }, throws: (e: any) => { if (e.code !== 5) throw e } },
  { name: 'undefined', fn: () => { throw undefined }, throws: (e: unknown) => { if (e !== undefined) throw e } },
  { name: 'TypeError of a helper', fn: () => boom('bad'), throws: (e: any) => { if (!(e instanceof TypeError) || e.message !== 'bad') throw e } },
  { name: 'async stack', fn: async () => { const inner = async () => { await null; boom('later') }; await inner() }, throws: (e: any) => { if (!/boom/.test(e.stack) || !/at async /.test(e.stack)) throw new Error(e.stack) } },
  { name: 'AggregateError', fn: () => Promise.any([Promise.reject(new RangeError('r'))]), throws: (e: any) => { if (!(e instanceof AggregateError) || !(e.errors[0] instanceof RangeError)) throw e } },
  { name: 'DOMException', fn: () => AbortSignal.abort().throwIfAborted(), throws: (e: any) => { if (e.name !== 'AbortError') throw e } },
  { name: 'a system error', fn: async () => (await import('node:fs')).readFileSync('/nowhere/at/all'), throws: (e: any) => { if (e.code !== 'ENOENT' || e.syscall !== 'open') throw e } },
]
