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
const TAGS_OF_A_PAGE = 1_000
const REGISTRY_OF_DOCKER = 'registry-1.docker.io'

/**
 * Asks a registry for the digest that a tag stands for now, without pulling anything. Undefined when there is no such
 * image.
 *
 * @throws RuntimeBuildError LITHOPS_RUNTIME_BUILD when the registry cannot be reached, or refuses
 */
export async function digestOf(image: string, options: ResolveOptions = {}): Promise<string | undefined> {
  const reference = parseImageReference(image)
  const { path, tag, digest } = reference
  const step = `Asking ${reference.server} for the digest of ${formatImageReference(reference)}`
  return ask(reference.server, step, options, async send => {
    const answer = await send('HEAD', `${path}/manifests/${digest ?? tag}`)
    if (answer.status === 404) return undefined
    if (!answer.ok) throw refused(step, answer.status, options.login)
    const found = answer.headers.get('docker-content-digest')
    if (found !== null) return found
    throw new RuntimeBuildError(`${step} failed: the registry did not tell it.`)
  })
}

/**
 * The labels of an image, from its configuration, without pulling more of it. Undefined when there is no such image, or it is one
 * of several platforms.
 *
 * @throws RuntimeBuildError LITHOPS_RUNTIME_BUILD when the registry cannot be reached, or refuses
 */
export async function labelsOf(
  image: string,
  options: ResolveOptions = {},
): Promise<Readonly<Record<string, string>> | undefined> {
  const { server, path, tag, digest } = parseImageReference(image)
  const step = `Asking ${server} for the labels of ${image}`
  return ask(server, step, options, async send => {
    const json = async <T>(place: string): Promise<T | undefined> => {
      const answer = await send('GET', place)
      if (answer.ok) return (await answer.json()) as T
      await answer.body?.cancel()
      if (answer.status === 404) return undefined
      throw refused(step, answer.status, options.login)
    }
    const manifest = await json<{ readonly config?: { readonly digest?: string } }>(
      `${path}/manifests/${digest ?? tag}`,
    )
    if (manifest?.config?.digest === undefined) return undefined
    const configuration = await json<{
      readonly config?: { readonly Labels?: Readonly<Record<string, string>> | null }
    }>(`${path}/blobs/${manifest.config.digest}`)
    return configuration && (configuration.config?.Labels ?? {})
  })
}

/**
 * All tags of the images of a path; none where there are no images.
 *
 * @param repository server and path, such as `registry.example:5000/team/worker`
 * @throws RuntimeBuildError LITHOPS_RUNTIME_BUILD when the registry cannot be reached, or refuses
 */
export async function tagsOf(repository: string, options: ResolveOptions = {}): Promise<readonly string[]> {
  const { server, path } = parseImageReference(repository)
  const step = `Asking ${server} for the tags of ${path}`
  return ask(server, step, options, async send => {
    const tags: string[] = []
    let place: string | undefined = `${path}/tags/list?n=${TAGS_OF_A_PAGE}`
    while (place !== undefined) {
      const answer = await send('GET', place)
      // from a registry that others may have removed the last image from in the meantime
      if (answer.status === 404) return tags
      if (!answer.ok) throw refused(step, answer.status, options.login)
      const page = (await answer.json()) as { readonly tags?: readonly string[] | null }
      tags.push(...(page.tags ?? []))
      const next = /<([^>]+)>;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1]
      place = next?.replace(/^.*\/v2\//, '')
    }
    return tags
  })
}

/**
 * Removes an image, with all its tags, from its registry. One that is not there is no error.
 *
 * @param image by digest
 * @throws RuntimeBuildError LITHOPS_RUNTIME_BUILD when the registry cannot be reached, or does not remove images: many do so by other
 * means alone
 */
export async function removeImage(image: string, options: ResolveOptions = {}): Promise<void> {
  const { server, path, digest } = parseImageReference(image)
  const step = `Removing ${image} from ${server}`
  await ask(server, step, options, async send => {
    const answer = await send('DELETE', `${path}/manifests/${digest}`)
    if (!answer.ok && answer.status !== 404)
      throw refused(step, answer.status, options.login, 'remove images')
  })
}

type Send = (method: string, place: string) => Promise<Response>

/** Requests below `/v2/` of a registry, with what it asks for before it answers. */
async function ask<T>(
  server: string,
  step: string,
  options: ResolveOptions,
  act: (send: Send) => Promise<T>,
): Promise<T> {
  const host = server === 'docker.io' ? REGISTRY_OF_DOCKER : server
  const scheme = registryKind(server) === 'local' ? 'http' : 'https'
  const { signal } = options
  const sendAs = (method: string, place: string, authorization?: string) =>
    fetch(`${scheme}://${host}/v2/${place}`, {
      method,
      headers: { accept: MANIFEST_TYPES, ...(authorization === undefined ? {} : { authorization }) },
      ...(signal === undefined ? {} : { signal }),
    })
  try {
    return await act(async (method, place) => {
      const answer = await sendAs(method, place)
      if (answer.status !== 401) return answer
      const authorization = await authorize(answer.headers.get('www-authenticate') ?? '', scheme, options)
      return authorization === undefined ? answer : await sendAs(method, place, authorization)
    })
  } catch (error) {
    signal?.throwIfAborted()
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

function refused(
  step: string,
  status: number,
  login: RegistryLogin | undefined,
  right = 'pull',
): RuntimeBuildError {
  const isAccess = status === 401 || status === 403
  const who = login === undefined ? 'nobody is logged in' : `logged in as ${login.user}`
  return new RuntimeBuildError(
    `${step} failed: it answered ${status}${isAccess ? ` (${who}). Check the user, the password, and whether they may ${right} there.` : '.'}`,
    { isRetryable: status === 429 || status >= 500, details: { status } },
  )
}
