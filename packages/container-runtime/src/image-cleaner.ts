import { ConfigError, type DriverLog, forEachAtOnce, LithopsError } from '@lithops/core/driver'
import {
  byDigest,
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from './image-reference.ts'
import { imageName, loginOf } from './registries.ts'
import { digestOf, type ResolveOptions, removeImage, tagsOf } from './registry-client.ts'
import { EXTENDED_PATH, type RuntimeImagesOptions } from './runtime-images.ts'

const REMOVALS_AT_ONCE = 8

/** What something that is deployed stands on. */
export interface DeployedImage {
  /** Name of the runtime: 'default', or the image that the worker was laid over. */
  readonly runtime: string
  /** The image with the worker, by digest. */
  readonly image: string
}

export interface ImageCleanerOptions
  extends Pick<RuntimeImagesOptions, 'section' | 'settings' | 'digests' | 'log' | 'login'> {
  /** As for `RuntimeImages`; of this user alone, as everything below it is removed. */
  readonly defaultPath: string
}

/** An image that may go. */
interface Candidate {
  readonly name: string
  /** By digest. */
  readonly image: string
}

/**
 * Removes images from the registry that were made for what is not deployed any more: those with a worker, those of the runtime 'default',
 * and those of `lithops runtime extend`. What users have built under names of their own stays. A registry that removes nothing, or
 * cannot be asked, is warned of once, and its images stay.
 */
export class ImageCleaner {
  readonly #options: ImageCleanerOptions

  constructor(options: ImageCleanerOptions) {
    this.#options = options
  }

  /** The images with a worker of what is gone, but for the runtime 'default', unless something that is `kept` stands on them too. */
  async removeWorkers(
    gone: readonly DeployedImage[],
    kept: readonly DeployedImage[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const own = gone.filter(({ runtime }) => runtime !== 'default')
    await this.#remove(workersOf(own, kept), signal)
  }

  /** All that was made for this user. Returns the names of what was, or would be, removed. */
  async clean(
    gone: readonly DeployedImage[],
    kept: readonly DeployedImage[],
    { dryRun = false, signal }: { readonly dryRun?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly string[]> {
    const found = [
      ...(await this.#ofDefault(signal)),
      ...workersOf(gone, kept),
      ...(await this.#extended(gone, kept, signal)),
    ]
    const candidates = [...new Map(found.reverse().map(one => [one.image, one])).values()].reverse()
    return dryRun ? candidates.map(({ name }) => name) : await this.#remove(candidates, signal)
  }

  async #ofDefault(signal: AbortSignal | undefined): Promise<readonly Candidate[]> {
    const place = this.#defaultPlace()
    if (place === undefined) return []
    const { server, path } = place
    const find = async () => {
      const options = await this.#access(server, signal)
      const tags = await tagsOf(`${server}/${path}`, options)
      const images = tags.map(tag => this.#found(`${server}/${path}:${tag}`, options))
      return (await Promise.all(images)).flat()
    }
    return (await this.#unlessRefused(server, find, signal)) ?? []
  }

  /** Undefined where the config says too little of the registry to push anything there. */
  #defaultPlace(): ImageReference | undefined {
    const { section, settings, defaultPath } = this.#options
    try {
      return parseImageReference(imageName(section, settings.registry, defaultPath))
    } catch (error) {
      if (ConfigError.isInstance(error)) return undefined
      throw error
    }
  }

  async #extended(
    gone: readonly DeployedImage[],
    kept: readonly DeployedImage[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Candidate[]> {
    const names = new Set(gone.map(({ runtime }) => runtime).filter(isExtended))
    for (const { runtime } of kept) names.delete(runtime)
    const images = [...names].map(name => {
      const { server } = parseImageReference(name)
      return this.#unlessRefused(
        server,
        async () => this.#found(name, await this.#access(server, signal)),
        signal,
      )
    })
    return (await Promise.all(images)).flatMap(found => found ?? [])
  }

  async #found(name: string, options: ResolveOptions): Promise<readonly Candidate[]> {
    const digest = await digestOf(name, options)
    return digest === undefined ? [] : [{ name, image: byDigest(name, digest) }]
  }

  /** Returns the names of what is gone. */
  async #remove(
    candidates: readonly Candidate[],
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const removed: string[] = []
    const refusing = new Set<string>()
    await forEachAtOnce(candidates, REMOVALS_AT_ONCE, async ({ name, image }) => {
      const { server } = parseImageReference(image)
      if (refusing.has(server)) return
      const isGone = await this.#unlessRefused(
        server,
        async () => {
          await removeImage(image, await this.#access(server, signal))
          return true
        },
        signal,
        () => {
          if (refusing.has(server)) return false
          refusing.add(server)
          return true
        },
      )
      if (isGone !== true) return
      removed.push(name)
      this.#options.digests.forget(name)
    })
    return candidates.map(({ name }) => name).filter(name => removed.includes(name))
  }

  /** Undefined, with a warning, where the registry says no: the cluster is cleaned all the same. */
  async #unlessRefused<T>(
    server: string,
    act: () => Promise<T>,
    signal: AbortSignal | undefined,
    isToBeTold: () => boolean = () => true,
  ): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      signal?.throwIfAborted()
      if (!LithopsError.isInstance(error)) throw error
      if (isToBeTold()) warn(this.#options.log, server, error)
      return undefined
    }
  }

  async #access(server: string, signal: AbortSignal | undefined): Promise<ResolveOptions> {
    const { section, settings, login } = this.#options
    const own = loginOf(section, settings.registry)
    const known = own?.server === server ? own : await login?.(server, signal)
    return { login: known, signal }
  }
}

function workersOf(gone: readonly DeployedImage[], kept: readonly DeployedImage[]): readonly Candidate[] {
  const images = new Set(gone.map(({ image }) => image))
  for (const { image } of kept) images.delete(image)
  return [...images]
    .filter(image => parseImageReference(image).digest !== undefined)
    .map(image => ({ name: formatImageReference(parseImageReference(image)), image }))
}

/** Whether `lithops runtime extend` has made it, over the runtime 'default'. */
function isExtended(runtime: string): boolean {
  return runtime !== 'default' && parseImageReference(runtime).path.split('/').at(-1) === EXTENDED_PATH
}

function warn(log: DriverLog, server: string, { message }: Error): void {
  log.warn(`Images stay in the registry ${server}, and can be removed there: ${message}`)
}
