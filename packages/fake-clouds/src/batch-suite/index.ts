export {
  type BatchContainerKitOptions,
  type BatchKitOptions,
  batchContainerKit,
  batchKit,
} from './batch-kit.ts'
export {
  type BatchCloud,
  type BatchFaultSuiteOptions,
  batchFaultSuite,
  type FaultScope,
  type WaitingFault,
} from './fault-suite.ts'
export { range, twice } from './functions.ts'
export { type MinioExecutors, withMinio } from './with-minio.ts'
