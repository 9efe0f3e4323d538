import type { RegistryLogin } from '@lithops/container-runtime'
import {
  mergeSecrets,
  pause,
  RuntimeDeployError,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { CallOptions } from './client.ts'
import { VALUE_CHARACTERS } from './limits.ts'
import type { ProjectApi } from './project.ts'
import type { Secret } from './resources.ts'
import { hasStatus } from './vendor-errors.ts'

const CHANGE_ATTEMPTS = 12
const LOOK_AGAIN_MS = 100

interface Wanted {
  readonly name: string
  readonly format: 'generic' | 'registry'
  /** What it should have, given what it has now; undefined: it is as it should be. */
  readonly data: (
    now: Readonly<Record<string, string>> | undefined,
  ) => Readonly<Record<string, string>> | undefined
}

/**
 * Places what a runtime's workers need to open storages, beside what was placed before.
 *
 * @returns a version that changes with the content
 */
export async function placeSecrets(
  project: ProjectApi,
  name: string,
  secrets: readonly WorkerSecrets[],
  options: CallOptions,
): Promise<string> {
  const { entity_tag: tag = '' } = await ensureSecret(
    project,
    {
      name,
      format: 'generic',
      data: now => {
        const before = now?.[SECRETS_ENVIRONMENT_NAME]
        const text = mergeSecrets(before, secrets)
        if (text === before) return undefined
        if (text.length <= VALUE_CHARACTERS) return { ...now, [SECRETS_ENVIRONMENT_NAME]: text }
        throw new RuntimeDeployError(
          `The secrets of these storages take ${text.length} characters, and a secret of Code Engine takes ${VALUE_CHARACTERS}. ` +
            '`lithops clean -b code_engine` removes those of storages that are not used any more.',
        )
      },
    },
    options,
  )
  return tag
}

/** Places the login with which the platform pulls images. */
export async function placePullSecret(
  project: ProjectApi,
  name: string,
  { server, user, password }: RegistryLogin,
  options: CallOptions,
): Promise<void> {
  // docker.io is known to the platform by the name that it had first
  const host = server === 'docker.io' ? 'https://index.docker.io/v1/' : server
  const wanted = { server: host, username: user, password }
  const isSame = (now: Readonly<Record<string, string>> = {}) =>
    Object.entries(wanted).every(([key, value]) => now[key] === value)
  await ensureSecret(
    project,
    { name, format: 'registry', data: now => (isSame(now) ? undefined : wanted) },
    options,
  )
}

/** Makes a secret, or changes it where it is another; any number of programs may do so at once. */
export async function ensureSecret(
  project: ProjectApi,
  { name, format, data }: Wanted,
  options: CallOptions,
): Promise<Secret> {
  for (let tries = 1; ; tries++) {
    const now = await project.find('secrets', name, options)
    const wanted = data(now?.data)
    if (now !== undefined && wanted === undefined) return now
    try {
      const body = { format, data: wanted ?? {} }
      return now === undefined
        ? await project.create('secrets', { name, ...body }, options)
        : await project.replace('secrets', name, body, { ...options, entityTag: now.entity_tag })
    } catch (error) {
      // another program was faster: what it placed is looked at
      if (!hasStatus(error, 404, 409, 412) || tries >= CHANGE_ATTEMPTS) throw error
      await pause(LOOK_AGAIN_MS * (0.5 + Math.random()) * tries, options.signal)
    }
  }
}
