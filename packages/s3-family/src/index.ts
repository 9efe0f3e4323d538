export { openEndpointStorage } from './endpoint-storage.ts'
export type { S3Service, S3StorageOptions } from './s3-options.ts'
export { S3Storage } from './s3-storage.ts'
