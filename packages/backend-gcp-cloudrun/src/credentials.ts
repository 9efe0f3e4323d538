import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { ConfigError } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'

/** What Google's files of credentials are, as far as this package looks into them. */
export interface CredentialsFile {
  readonly type: string
  readonly project_id?: string
  readonly client_email?: string
  readonly token_uri?: string
}

export interface GivenCredentials {
  readonly text: string
  readonly content: CredentialsFile
}

const KINDS = new Set([
  'service_account',
  'authorized_user',
  'external_account',
  'external_account_authorized_user',
  'impersonated_service_account',
])

/** What the config gives, checked; undefined when Google's library is to look for credentials. Nothing of it is shown. */
export function readCredentials(
  { credentials, credentialsPath }: Pick<CloudRunSettings, 'credentials' | 'credentialsPath'>,
  environment: NodeJS.ProcessEnv = process.env,
): GivenCredentials | undefined {
  if (credentials !== undefined)
    return { text: credentials, content: parse(credentials, 'gcp_cloudrun.credentials') }
  const given = credentialsPath ?? (environment.GOOGLE_APPLICATION_CREDENTIALS || undefined)
  if (given === undefined) return undefined
  const key =
    credentialsPath === undefined ? 'GOOGLE_APPLICATION_CREDENTIALS' : 'gcp_cloudrun.credentials_path'
  const file = path.resolve(given.replace(/^~(?=$|[/\\])/, homedir()))
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `${key}: ${file} cannot be read (${code}). Give the path of the JSON file with the key of a service account.`,
    )
  }
  return { text, content: parse(text, `${key} (${file})`) }
}

// no error has the parser's message: it quotes what it read
function parse(text: string, what: string): CredentialsFile {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new ConfigError(
      `${what} is not JSON. It must be the key of a service account as the console gives it.`,
    )
  }
  const { type, private_key, client_email } = (content ?? {}) as Record<string, unknown>
  if (typeof type !== 'string' || !KINDS.has(type))
    throw new ConfigError(
      `${what} is not a file of credentials: its 'type' must be one of ${[...KINDS].join(', ')}.`,
    )
  if (type === 'service_account' && !(typeof private_key === 'string' && typeof client_email === 'string'))
    throw new ConfigError(`${what} is not whole: a service account has 'client_email' and 'private_key'.`)
  return content as CredentialsFile
}
