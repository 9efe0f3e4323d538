import type { Accounts } from '../api/accounts.ts'
import type { SecretStore } from '../api/secret-store.ts'
import { NotReady } from './not-ready.ts'
import type { EnvVar } from './template.ts'

/**
 * What containers find in their environment, with the secrets that their service account may read.
 *
 * @param owner what it is for, in messages: 'Revision' or 'Job'
 * @throws NotReady where it may not read one, or there is none
 */
export function environmentFor(
  env: readonly EnvVar[],
  { accounts, secrets }: { readonly accounts: Accounts; readonly secrets: SecretStore },
  { serviceAccount, owner }: { readonly serviceAccount: string | undefined; readonly owner: string },
): Record<string, string> {
  const account = serviceAccount ?? accounts.defaultWorker
  const all: Record<string, string> = {}
  for (const { name, value, valueSource } of env) {
    const { secret = '', version = 'latest' } = valueSource?.secretKeyRef ?? {}
    const seen = valueSource === undefined ? value : secrets.seenBy(account, secret, version)
    if (seen === undefined && valueSource !== undefined)
      throw new NotReady(
        'SECRETS_ACCESS_CHECK_FAILED',
        `Permission denied on secret: ${secret} for ${owner} service account ${account}. The service account used must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, project or higher level.`,
      )
    all[name] = seen ?? ''
  }
  return all
}
