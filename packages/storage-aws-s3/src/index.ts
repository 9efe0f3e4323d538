import type { StorageDriver } from '@lithops/core/driver'
import { type AwsS3Config, awsS3Section } from './config.ts'

export { type AwsS3Config, awsS3Section }

/** Objects in Amazon S3. */
export const storage: StorageDriver<AwsS3Config> = {
  specVersion: 1,
  name: 'aws_s3',
  config: awsS3Section,
  async create(config, { log }) {
    const { openAwsS3 } = await import('./open-aws-s3.ts')
    return openAwsS3(config, log)
  },
}
