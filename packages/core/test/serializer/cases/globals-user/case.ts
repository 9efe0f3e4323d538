;(globalThis as any).corpusGlobal = { z: 3 }
declare const corpusGlobal: any
declare const nowhereDeclared: any
export const cases = [
  { name: 'set by the user', fn: () => corpusGlobal.z, expected: 3 },
  { name: 'typeof undeclared', fn: () => typeof nowhereDeclared, expected: 'undefined' },
  { name: 'undeclared throws on the worker', fn: () => nowhereDeclared, throws: (e: any) => { if (!(e instanceof ReferenceError) || !/nowhereDeclared/.test(e.message)) throw e } },
  { name: 'written on the worker', fn: () => { (globalThis as any).corpusWritten = 1; return (globalThis as any).corpusWritten }, expected: 1, afterCapture: () => { if ('corpusWritten' in globalThis) throw new Error('ran here') } },
]
