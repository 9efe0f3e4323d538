import type { WorkerSecrets } from './compute-backend.ts'

/** Environment name under which a backend places workers' secrets, where its platform has nothing better. */
export const SECRETS_ENVIRONMENT_NAME = 'LITHOPS_SECRETS'

/** Text for a variable of the worker's environment or for a secret of the platform. */
export function encodeSecrets(secrets: readonly WorkerSecrets[]): string {
  return JSON.stringify(secrets)
}

/** Reads what `encodeSecrets` wrote; empty for undefined and for an empty text. Never shows the text in an error. */
export function decodeSecrets(text: string | undefined): readonly WorkerSecrets[] {
  if (text === undefined || text === '') return []
  try {
    return JSON.parse(text) as WorkerSecrets[]
  } catch {
    throw new TypeError(`The worker's secrets are damaged: ${text.length} characters that are not JSON.`)
  }
}

/** The text with these secrets in the place of those of the same storages, or beside them; the same text when nothing changes. */
export function mergeSecrets(text: string | undefined, secrets: readonly WorkerSecrets[]): string {
  const all = new Map(decodeSecrets(text).map(secret => [secret.storageId, secret]))
  for (const secret of secrets) all.set(secret.storageId, secret)
  return encodeSecrets([...all.values()])
}

/** Takes the secrets out of the environment, so that functions and what they start do not see them. */
export function takeSecretsFromEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): readonly WorkerSecrets[] {
  const text = environment[SECRETS_ENVIRONMENT_NAME]
  delete environment[SECRETS_ENVIRONMENT_NAME]
  return decodeSecrets(text)
}
