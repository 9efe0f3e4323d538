export * from './square.ts'
export { original as renamed } from './other.ts'
export * as nested from './nested.ts'
export { default } from './main.ts'
