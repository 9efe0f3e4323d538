import { LithopsError, RuntimeBuildError } from '@lithops/core/driver'
import { formatImageReference, parseImageReference } from './image-reference.ts'
import { type RegistryLogin, registryKind } from './registries.ts'

export interface ResolveOptions {
  /** Default: nobody, as for images that everybody may pull. */
  readonly login?: RegistryLogin | undefined
  readonly signal?: AbortSignal | undefined
}

/** Of images and of lists of images for several platforms. From: OCI Image Specification 1.1; Docker's registry API. */
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')
const REGISTRY_OF_DOCKER = 'registry-1.docker.io'

/**
 * Asks a registry for the digest that a tag stands for now, without pulling anything. Undefined when there is no such
 * image.
 *
 * @throws RuntimeBuildError LITHOPS_RUNTIME_BUILD when the registry cannot be reached, or refuses
 */
export async function digestOf(image: string, options: ResolveOptions = {}): Promise<string | undefined> {
  const reference = parseImageReference(image)
  const { server, path, tag, digest } = reference
  const host = server === 'docker.io' ? REGISTRY_OF_DOCKER : server
  const scheme = registryKind(server) === 'local' ? 'http' : 'https'
  const url = `${scheme}://${host}/v2/${path}/manifests/${digest ?? tag}`
  const step = `Asking ${server} for the digest of ${formatImageReference(reference)}`
  try {
    let answer = await head(url, undefined, options)
    if (answer.status === 401) {
      const challenge = answer.headers.get('www-authenticate') ?? ''
      const authorization = await authorize(challenge, scheme, options)
      if (authorization !== undefined) answer = await head(url, authorization, options)
    }
    if (answer.status === 404) return undefined
    if (!answer.ok) throw refused(step, answer.status, options.login)
    const found = answer.headers.get('docker-content-digest')
    if (found !== null) return found
    throw new RuntimeBuildError(`${step} failed: the registry did not tell it.`)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (LithopsError.isInstance(error)) throw error
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message : message
    throw new RuntimeBuildError(
      `${step} failed: it cannot be reached (${why}). Check its name and the network.`,
      {
        isRetryable: true,
        cause: error,
      },
    )
  }
}

async function head(url: string, authorization: string | undefined, { signal }: ResolveOptions) {
  const headers = { accept: MANIFEST_TYPES, ...(authorization === undefined ? {} : { authorization }) }
  return fetch(url, { method: 'HEAD', headers, ...(signal === undefined ? {} : { signal }) })
}

/**
 * What to say to a challenge; undefined when there is nothing to say. From: "Token Authentication Specification" of
 * distribution.github.io.
 */
async function authorize(
  challenge: string,
  scheme: 'http' | 'https',
  { login, signal }: ResolveOptions,
): Promise<string | undefined> {
  const basic =
    login === undefined
      ? undefined
      : `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  if (!/^bearer /i.test(challenge)) return basic
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  ) as { realm?: string; service?: string; scope?: string }
  if (fields.realm === undefined || !URL.canParse(fields.realm)) return basic
  const url = new URL(fields.realm)
  // whoever stands between must not get the password by naming a place for it
  if (scheme === 'https' && url.protocol !== 'https:') return undefined
  if (fields.service !== undefined) url.searchParams.set('service', fields.service)
  if (fields.scope !== undefined) url.searchParams.set('scope', fields.scope)
  const answer = await fetch(url, {
    headers: basic === undefined ? {} : { authorization: basic },
    ...(signal === undefined ? {} : { signal }),
  })
  if (!answer.ok) throw refused(`Asking ${url.host} for a token`, answer.status, login)
  const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string }
  return `Bearer ${token ?? access_token ?? ''}`
}

function refused(step: string, status: number, login: RegistryLogin | undefined): RuntimeBuildError {
  const isAccess = status === 401 || status === 403
  const who = login === undefined ? 'nobody is logged in' : `logged in as ${login.user}`
  return new RuntimeBuildError(
    `${step} failed: it answered ${status}${isAccess ? ` (${who}). Check the user, the password, and whether they may pull there.` : '.'}`,
    { isRetryable: status === 429 || status >= 500, details: { status } },
  )
}
