import type { ComputeDriver } from '@lithops/core/driver'
import { type AwsLambdaConfig, awsLambdaSection } from './config.ts'

export { type AwsLambdaConfig, awsLambdaSection }

/** Functions on AWS Lambda. */
export const backend: ComputeDriver<AwsLambdaConfig> = {
  specVersion: 1,
  name: 'aws_lambda',
  config: awsLambdaSection,
  async create(config, context) {
    const { AwsLambdaBackend } = await import('./aws-lambda-backend.ts')
    return AwsLambdaBackend.open(config, context)
  },
}
