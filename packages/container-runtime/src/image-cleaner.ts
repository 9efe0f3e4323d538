import { ConfigError, type DriverLog, forEachAtOnce, LithopsError } from '@lithops/core/driver'
import { markIn } from './image-marks.ts'
import { byDigest, formatImageReference, parseImageReference } from './image-reference.ts'
import { imageName, loginOf, runtimeImage } from './registries.ts'
import { digestOf, labelsOf, type ResolveOptions, removeImage, tagsOf } from './registry-client.ts'
import { EXTENDED_PATH, type RuntimeImagesOptions, WORKER_TAG } from './runtime-images.ts'

const REQUESTS_AT_ONCE = 8
const DEFAULT_RUNTIME = 'default'
/** Tags of what is made here, by its content. Users may have such tags too: what is found by them is looked at. */
const TAG_OF_CONTENT = new RegExp(`^(?:${WORKER_TAG})?[0-9a-f]{16}$`)

/** What something that is deployed stands on. */
export interface DeployedImage {
  /** Name of the runtime: 'default', or the image that the worker was laid over. */
  readonly runtime: string
  /** The image with the worker, by digest. */
  readonly image: string
}

export interface ImageCleanerOptions
  extends Pick<RuntimeImagesOptions, 'section' | 'settings' | 'digests' | 'log' | 'login' | 'owner'> {
  /**
   * As for `RuntimeImages`; of this user alone, as everything below it is removed. Undefined: the images of the runtime 'default' are
   * removed by other means.
   */
  readonly defaultPath: string | undefined
  /** Names of further runtimes whose images may have been made, whether they are deployed or not, such as that of the config. Default: none. */
  readonly runtimes?: readonly string[]
  /**
   * Removes an image, by digest, with all its tags, where the registry has other means for it than others. Returns whether it
   * was one of those. What is not there is no error. Throws LithopsError.
   */
  readonly remove?: (image: string, signal: AbortSignal | undefined) => Promise<boolean>
}

/** An image that may go. */
interface Candidate {
  readonly name: string
  /** By digest. */
  readonly image: string
}

interface CleanerCallOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Removes images from the registry that were made for what is not deployed any more: those with a worker, those of the runtime 'default',
 * and those that `lithops runtime extend` has made over whatever runtime. What users have built stays: what has been made here says
 * so in its labels. A registry that removes nothing, or cannot be asked, is warned of once, and its images stay.
 */
export class ImageCleaner {
  readonly #options: ImageCleanerOptions

  constructor(options: ImageCleanerOptions) {
    this.#options = options
  }

  /**
   * What was made for a runtime, but for the images of 'default': those with a worker of what is gone, and its own, if it is an
   * extended one. What something that is `kept` stands on stays.
   *
   * @param isReplaced it is deployed again: an extended one must be there to be
   */
  async removeRuntime(
    runtime: string,
    gone: readonly DeployedImage[],
    kept: readonly DeployedImage[],
    { isReplaced = false, signal }: CleanerCallOptions & { readonly isReplaced?: boolean } = {},
  ): Promise<void> {
    const own = runtime === DEFAULT_RUNTIME ? [] : gone
    const names = isReplaced
      ? []
      : this.#namesOf([{ runtime }]).filter(name => TAG_OF_CONTENT.test(tagOf(name)))
    const extended = await this.#made(names, { names, kept, signal })
    await this.#remove(joined([...workersOf(own, kept), ...extended]), signal)
  }

  /** All that was made for this user. Returns the names of what was, or would be, removed. */
  async clean(
    gone: readonly DeployedImage[],
    kept: readonly DeployedImage[],
    { dryRun = false, signal }: CleanerCallOptions & { readonly dryRun?: boolean } = {},
  ): Promise<readonly string[]> {
    const { defaultPath, owner, runtimes = [] } = this.#options
    const ofDefault = defaultPath === undefined ? [] : await this.#ofDefault(defaultPath, signal)
    const workers = workersOf(
      gone.filter(({ runtime }) => defaultPath !== undefined || runtime !== DEFAULT_RUNTIME),
      kept,
    )
    const names = this.#namesOf(gone)
    const places = [
      ...names,
      ...this.#namesOf(runtimes.map(runtime => ({ runtime }))),
      ...this.#inConfig(settings =>
        imageName(this.#options.section, settings, `${EXTENDED_PATH}:${WORKER_TAG}`),
      ),
    ]
    const made = await this.#made(places, { names, owner: await owner?.(), kept, signal })
    const candidates = joined([...ofDefault, ...workers, ...made])
    return dryRun ? candidates.map(({ name }) => name) : await this.#remove(candidates, signal)
  }

  /** Full names of the images of runtimes, each once. */
  #namesOf(runtimes: readonly Pick<DeployedImage, 'runtime'>[]): readonly string[] {
    const own = new Set(runtimes.map(({ runtime }) => runtime).filter(name => name !== DEFAULT_RUNTIME))
    const { section } = this.#options
    return [...own].flatMap(name => this.#inConfig(settings => runtimeImage(section, settings, name)))
  }

  /** Empty where the config says too little of the registry to push anything there. */
  #inConfig(act: (registry: ImageCleanerOptions['settings']['registry']) => string): readonly string[] {
    try {
      return [act(this.#options.settings.registry)]
    } catch (error) {
      if (ConfigError.isInstance(error)) return []
      throw error
    }
  }

  async #ofDefault(path: string, signal: AbortSignal | undefined): Promise<readonly Candidate[]> {
    const { section } = this.#options
    const places = this.#inConfig(settings => imageName(section, settings, path))
    const lists = places.map(place => this.#inRepository(place, signal, tags => tags))
    return (await Promise.all(lists)).flat()
  }

  /** What was made below the paths of these images: under those names, or for that owner. */
  async #made(
    places: readonly string[],
    what: {
      readonly names: readonly string[]
      readonly owner?: string | undefined
      readonly kept: readonly DeployedImage[]
      readonly signal: AbortSignal | undefined
    },
  ): Promise<readonly Candidate[]> {
    const { names, owner, signal } = what
    const keptImages = new Set([
      ...what.kept.map(({ image }) => image),
      ...what.kept.flatMap(one => this.#namesOf([one])),
    ])
    const lists = [...new Set(places.map(repositoryOf))].map(place =>
      this.#inRepository(place, signal, async (found, access) => {
        const ofContent = found.filter(({ name }) => TAG_OF_CONTENT.test(tagOf(name)))
        const made: Candidate[] = []
        await forEachAtOnce(ofContent, REQUESTS_AT_ONCE, async one => {
          const mark = markIn((await labelsOf(one.image, access)) ?? {})
          if (mark?.tag !== tagOf(one.name)) return
          if (names.includes(one.name) || (owner !== undefined && mark.owner === owner)) made.push(one)
        })
        // an image goes with all its tags, and the user may have given it another
        const others = found.filter(one => !made.includes(one)).map(({ image }) => image)
        return made
          .filter(({ name, image }) => ![name, image].some(one => keptImages.has(one)))
          .filter(({ image }) => !others.includes(image))
          .sort((one, other) => one.name.localeCompare(other.name))
      }),
    )
    return (await Promise.all(lists)).flat()
  }

  /** What of the images of a path is to go; none, with a warning, where the registry says no. */
  async #inRepository(
    place: string,
    signal: AbortSignal | undefined,
    choose: (
      found: readonly Candidate[],
      access: ResolveOptions,
    ) => readonly Candidate[] | Promise<readonly Candidate[]>,
  ): Promise<readonly Candidate[]> {
    const { server, path } = parseImageReference(place)
    const find = async () => {
      const access = await this.#access(server, signal)
      const found: Candidate[] = []
      const tags = await tagsOf(place, access)
      await forEachAtOnce(tags, REQUESTS_AT_ONCE, async tag => {
        const name = `${server}/${path}:${tag}`
        const digest = await digestOf(name, access)
        if (digest !== undefined) found.push({ name, image: byDigest(name, digest) })
      })
      found.sort((one, other) => tags.indexOf(tagOf(one.name)) - tags.indexOf(tagOf(other.name)))
      return choose(found, access)
    }
    return (await this.#unlessRefused(server, find, signal)) ?? []
  }

  /** Returns the names of what is gone. */
  async #remove(
    candidates: readonly Candidate[],
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const removed: string[] = []
    const refusing = new Set<string>()
    await forEachAtOnce(candidates, REQUESTS_AT_ONCE, async ({ name, image }) => {
      const { server } = parseImageReference(image)
      if (refusing.has(server)) return
      const isGone = await this.#unlessRefused(
        server,
        async () => {
          if ((await this.#options.remove?.(image, signal)) !== true)
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

/** Each image once, by the first of its names that has a tag. */
function joined(candidates: readonly Candidate[]): readonly Candidate[] {
  const byImage = new Map<string, Candidate>()
  for (const one of candidates) {
    const known = byImage.get(one.image)
    if (known === undefined || tagOf(known.name) === '') byImage.set(one.image, one)
  }
  return [...byImage.values()]
}

function tagOf(image: string): string {
  return parseImageReference(image).tag ?? ''
}

/** Server and path. */
function repositoryOf(image: string): string {
  const { server, path } = parseImageReference(image)
  return `${server}/${path}`
}

function warn(log: DriverLog, server: string, { message }: Error): void {
  log.warn(`Images stay in the registry ${server}, and can be removed there: ${message}`)
}
