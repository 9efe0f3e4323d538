import { defineConfigSection, field } from '@lithops/core/driver'

/** The section `aws_s3`. From: lithops/storage/backends/aws_s3/config.py. */
export const awsS3Section = defineConfigSection({
  name: 'aws_s3',
  inherits: ['aws'],
  fields: {
    region: field.string({
      doc: 'Region of the bucket. Default: that of the environment or the profile, as the AWS SDK finds it.',
    }),
    access_key_id: field.string({
      secret: true,
      doc: 'Access key. Without keys the AWS SDK looks for credentials in its usual places: environment, profiles, SSO, the role of a machine or function.',
    }),
    secret_access_key: field.string({ secret: true, doc: 'Secret key, together with access_key_id.' }),
    session_token: field.string({ secret: true, doc: 'Token of temporary keys.' }),
    storage_bucket: field.string({
      doc: 'Bucket of jobs. Default: lithops-<region>-<last 4 characters of the user id>, which asks STS once.',
    }),
    endpoint: field.string({
      doc: 'URL of another service that speaks S3, or of a VPC endpoint. Default: that of the region.',
    }),
    account_id: field.ignored('S3 does not need it'),
    user_id: field.ignored('STS tells it'),
    lambda_role: field.ignored('it is for aws_lambda'),
    execution_role: field.ignored('it is for aws_lambda'),
  },
})

/** What the section comes to. A worker's has region and bucket always. */
export interface AwsS3Config {
  readonly region?: string | undefined
  readonly access_key_id?: string | undefined
  readonly secret_access_key?: string | undefined
  readonly session_token?: string | undefined
  readonly storage_bucket?: string | undefined
  readonly endpoint?: string | undefined
}
