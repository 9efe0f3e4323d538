// What the corpus calls of the product, in one place. `lithops:source` is replaced by the source folder at build time.
export { encodeValue, decodeValue } from 'lithops:source/codec/value.ts'
export { captureFunction } from 'lithops:source/function/index.ts'
