export type { FaultDialect } from './dialect.ts'
export { type FaultCase, type StorageFaultSuiteOptions, storageFaultSuite } from './suite.ts'
