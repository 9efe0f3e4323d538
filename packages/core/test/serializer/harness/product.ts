// What the corpus calls of the product, in one place. `lithops:source` is replaced by the source folder at build time.
export { decodeError } from 'lithops:source/codec/error.ts'
export { decodeValue, encodeValue } from 'lithops:source/codec/value.ts'
export { exported } from 'lithops:source/function/exported.ts'
export { captureFunction } from 'lithops:source/function/index.ts'
