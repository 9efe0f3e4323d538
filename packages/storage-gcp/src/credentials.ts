import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { ConfigError } from '@lithops/core/driver'
import type { GcpStorageConfig } from './config.ts'

/** What Google's files of credentials are, as far as the driver looks into them. */
export interface CredentialsFile {
  readonly type: string
  readonly project_id?: string
  readonly client_email?: string
  readonly token_uri?: string
}

export interface GivenCredentials {
  /** As the config has it, before `~` is replaced: the automatic bucket is named after it. */
  readonly path?: string
  readonly text: string
  readonly content: CredentialsFile
}

/** Files of these kinds hold all that is needed; others name files and services of the machine that they are on. */
const PORTABLE = new Set(['service_account', 'authorized_user'])
const KINDS = new Set([
  ...PORTABLE,
  'external_account',
  'external_account_authorized_user',
  'impersonated_service_account',
])

/** What the config gives, checked; undefined when Google's library is to look for credentials. Nothing of it is shown. */
export async function readCredentials(
  { credentials, credentials_path: configured }: GcpStorageConfig,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<GivenCredentials | undefined> {
  if (credentials !== undefined) {
    if (configured !== undefined) {
      throw new ConfigError('gcp_storage has credentials and credentials_path: give one of them.')
    }
    return { text: credentials, content: parse(credentials, 'gcp_storage.credentials') }
  }
  const given = configured ?? (environment.GOOGLE_APPLICATION_CREDENTIALS || undefined)
  if (given === undefined) return undefined
  const key = configured === undefined ? 'GOOGLE_APPLICATION_CREDENTIALS' : 'gcp_storage.credentials_path'
  const file = path.resolve(given.replace(/^~(?=$|[/\\])/, homedir()))
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `${key}: ${file} cannot be read (${code}). Give the path of the JSON file with the key of a service account.`,
    )
  }
  return { path: given, text, content: parse(text, `${key} (${file})`) }
}

/** What workers elsewhere can do with it. */
export function isPortable({ content }: GivenCredentials): boolean {
  return PORTABLE.has(content.type)
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
  if (typeof type !== 'string' || !KINDS.has(type)) {
    throw new ConfigError(
      `${what} is not a file of credentials: its 'type' must be one of ${[...KINDS].join(', ')}.`,
    )
  }
  if (type === 'service_account' && !(typeof private_key === 'string' && typeof client_email === 'string')) {
    throw new ConfigError(`${what} is not whole: a service account has 'client_email' and 'private_key'.`)
  }
  return content as CredentialsFile
}
