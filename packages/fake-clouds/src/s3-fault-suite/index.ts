export { type S3FaultSuiteOptions, s3FaultSuite } from './suite.ts'
