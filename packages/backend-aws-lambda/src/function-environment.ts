import {
  mergeSecrets,
  RuntimeDeployError,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { AwsLambdaSettings } from './config.ts'
import { ENVIRONMENT_BYTES } from './limits.ts'

/** The environment variables of a new function. */
export function environmentOf(
  settings: Pick<AwsLambdaSettings, 'environment'>,
  secrets: readonly WorkerSecrets[],
): Record<string, string> {
  return {
    ...settings.environment,
    ...(secrets.length === 0 ? {} : { [SECRETS_ENVIRONMENT_NAME]: mergeSecrets(undefined, secrets) }),
  }
}

export function checkEnvironment(environment: Readonly<Record<string, string>>): void {
  const sizes = Object.entries(environment).map(
    ([name, value]) => [name, Buffer.byteLength(name) + Buffer.byteLength(value)] as const,
  )
  const bytes = sizes.reduce((sum, [, size]) => sum + size, 0)
  if (bytes <= ENVIRONMENT_BYTES) return
  const largest = sizes.sort((a, b) => b[1] - a[1]).slice(0, 3)
  throw new RuntimeDeployError(
    `The environment variables of the function take ${bytes} bytes, and AWS Lambda takes ${ENVIRONMENT_BYTES}. The largest: ` +
      `${largest.map(([name, size]) => `${name} ${size}`).join(', ')}. Shorten aws_lambda.env_vars` +
      `${environment[SECRETS_ENVIRONMENT_NAME] === undefined ? '.' : ', or remove the function: secrets of storages that are not used any more stay in it until then.'}`,
  )
}
