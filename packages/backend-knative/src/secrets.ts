import type { V1Secret } from '@kubernetes/client-node'
import type { RegistryLogin } from '@lithops/container-runtime'
import {
  decodeSecrets,
  mergeSecrets,
  pause,
  RuntimeDeployError,
  SECRETS_ENVIRONMENT_NAME,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { CallOptions, Cluster } from './cluster.ts'
import { SECRET_BYTES } from './limits.ts'
import { labelsOf } from './names.ts'
import { attempt, hasStatus } from './vendor-errors.ts'

const CHANGE_ATTEMPTS = 12
const LOOK_AGAIN_MS = 100
const DOCKER_CONFIG = '.dockerconfigjson'

interface Wanted {
  readonly name: string
  readonly user: string
  readonly type: string
  /** The text that the key should have, given what it has now. */
  readonly key: string
  readonly value: (now: string | undefined) => string
}

/**
 * Places what a service's workers need to open storages, beside what was placed before.
 *
 * @returns a version that changes with the content
 */
export function placeSecrets(
  cluster: Cluster,
  place: { readonly name: string; readonly user: string },
  secrets: readonly WorkerSecrets[],
  options: CallOptions,
): Promise<string> {
  const value = (now: string | undefined) => {
    const text = mergeSecrets(now, secrets)
    if (Buffer.byteLength(text) <= SECRET_BYTES) return text
    throw new RuntimeDeployError(
      `The secrets of ${decodeSecrets(text).length} storages take ${Buffer.byteLength(text)} bytes, and a Secret of Kubernetes takes ${SECRET_BYTES}. ` +
        '`lithops clean -b knative` removes those of storages that are not used any more.',
    )
  }
  return ensureSecret(cluster, { ...place, type: 'Opaque', key: SECRETS_ENVIRONMENT_NAME, value }, options)
}

/** Places the login with which the cluster pulls images. */
export async function placePullSecret(
  cluster: Cluster,
  place: { readonly name: string; readonly user: string },
  login: RegistryLogin,
  options: CallOptions,
): Promise<void> {
  const { server, user, password } = login
  // docker.io is known to clusters by the name that it had first
  const host = server === 'docker.io' ? 'https://index.docker.io/v1/' : server
  const auth = Buffer.from(`${user}:${password}`).toString('base64')
  const text = JSON.stringify({ auths: { [host]: { username: user, password, auth } } })
  const type = 'kubernetes.io/dockerconfigjson'
  await ensureSecret(cluster, { ...place, type, key: DOCKER_CONFIG, value: () => text }, options)
}

/** Makes a Secret, or changes it where it is another; any number of programs may do so at once. */
async function ensureSecret(cluster: Cluster, wanted: Wanted, options: CallOptions): Promise<string> {
  const { name, user, type, key } = wanted
  const { signal } = options
  return attempt(`placing the secret ${name}`, signal, async () => {
    for (let tries = 1; ; tries++) {
      const now = await cluster.findSecret(name, options)
      const placed = now?.data?.[key]
      const before = placed === undefined ? undefined : Buffer.from(placed, 'base64').toString('utf8')
      const value = wanted.value(before)
      if (now !== undefined && value === before) return versionOf(now)
      const body: V1Secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        type,
        metadata: {
          ...(now?.metadata?.resourceVersion === undefined
            ? {}
            : { resourceVersion: now.metadata.resourceVersion }),
          name,
          labels: { ...labelsOf(user) },
        },
        data: { ...now?.data, [key]: Buffer.from(value).toString('base64') },
      }
      try {
        return versionOf(
          now === undefined
            ? await cluster.createSecret(body, options)
            : await cluster.replaceSecret(body, options),
        )
      } catch (error) {
        // another program was faster: what it placed is looked at
        if (!hasStatus(error, 404, 409) || tries >= CHANGE_ATTEMPTS) throw error
        await pause(LOOK_AGAIN_MS * (0.5 + Math.random()) * tries, signal)
      }
    }
  })
}

function versionOf({ metadata }: V1Secret): string {
  return metadata?.resourceVersion ?? ''
}
