import main, { deep, Kind, one, renamed, uno, whole } from './index.ts'
import * as all from './index.ts'
const copy = { ...all, extra: 1 }
const { whole: { Kind: SameKind } } = all
export const cases = [
  { name: 'names', fn: () => [main(), one, whole.one, renamed(), uno, new Kind().v, deep.one], expected: ['main', 1, 1, 'main', 1, 1, 1] },
  { name: 'keys of a namespace', fn: () => Object.keys(all).sort().join(), expected: 'Kind,deep,default,one,renamed,uno,whole' },
  { name: 'namespaces in an object', fn: () => [copy.one, copy.extra, copy.deep.one, copy.whole.default(), copy.deep === copy.whole], expected: [1, 1, 1, 'main', true] },
  { name: 'one class by many ways', fn: () => [new SameKind() instanceof Kind, new deep.Kind() instanceof whole.Kind], expected: [true, true] },
]
