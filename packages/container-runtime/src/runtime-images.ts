import { dirname, resolve } from 'node:path'
import {
  ConfigError,
  type DriverLog,
  type ExtendedRuntime,
  type RuntimeBuild,
  RuntimeDeployError,
  type RuntimeExtension,
  type RuntimeFunction,
} from '@lithops/core/driver'
import { noteFunctionBuild, warnOfPublicCode } from './code-warnings.ts'
import { findImageTool } from './find-image-tool.ts'
import { byDigest, formatImageReference, parseImageReference } from './image-reference.ts'
import type { ImageTool, StepOptions } from './image-tool.ts'
import { oncePerMachine } from './machine-lock.ts'
import { imageName, loginOf, type RegistryLogin, type RegistrySettings, runtimeImage } from './registries.ts'
import { digestOf } from './registry-client.ts'
import type { WorkerCode } from './worker-code.ts'
import {
  buildExtensionImage,
  buildWorkerImage,
  contentTag,
  DEFAULT_BASE_IMAGE,
  extensionTag,
  functionFiles,
} from './worker-image.ts'

const DEFAULT_RUNTIME = 'default'
const DEFAULT_PATH = 'lithops-worker-ts'
/** What images of extended runtimes are called whose base is the default one. From: Lithops, "runtime extend". */
export const EXTENDED_PATH = 'lithops_runtime'
/** What tags of images with a worker begin with, beside those that the user has given. */
export const WORKER_TAG = 'worker-'

/** What a config says of the images of runtimes. */
export interface RuntimeImagesSettings {
  readonly registry: RegistrySettings
  /** What the runtime 'default' stands on. Default: DEFAULT_BASE_IMAGE. */
  readonly baseImage: string | undefined
  /** See `findImageTool`. */
  readonly containerTool: string | undefined
  readonly architecture: 'amd64' | 'arm64'
}

/** Digests that were found out before, by full names of images: `KnownFacts` has such a table. */
export interface KnownDigests {
  find(image: string): string | undefined
  add(image: string, digest: string): void
  forget(image: string): void
}

export interface RuntimeImagesOptions {
  /** Name of the config section and of the backend, for messages. */
  readonly section: string
  readonly settings: RuntimeImagesSettings
  readonly digests: KnownDigests
  readonly log: DriverLog
  /**
   * Who logs in to this registry, where the settings have no password: for registries whose passwords the platform makes. It must
   * give none to those of others. Default: the logins of the tool.
   */
  readonly login?: (server: string, signal: AbortSignal | undefined) => Promise<RegistryLogin | undefined>
  /** Path of the images of the runtime 'default' in the registry. Default: lithops-worker-ts. */
  readonly defaultPath?: string
  /**
   * For whom images are made: the same for one user of one place, and not legible, as images may be public. Whoever cleans up there
   * removes those of the same. Default: nobody; they are removed with what is deployed of them alone.
   */
  readonly owner?: () => Promise<string>
  /** Called before each push: makes what the platform must have for it. */
  readonly beforePush?: (signal: AbortSignal | undefined) => Promise<void>
}

/** An image that is in the registry. */
export interface ReadyImage {
  /** By digest. */
  readonly image: string
  /** The config's, where the image is on its registry: for platforms that pull with a login of their own. */
  readonly login: RegistryLogin | undefined
  /** It is only remembered to be there: forgets it. Undefined where the registry was asked. */
  readonly forget: (() => void) | undefined
}

interface ImagePlan {
  readonly image: string
  readonly base: string
  readonly code: WorkerCode
}

/**
 * Images of runtimes in the registry of the config. What the user builds is pushed as it is, under its own name; the worker
 * is laid over it when it is deployed, in an image of its own, so that a new version of the worker, or one with other
 * drivers, needs no new build by the user. What has been pushed once is found by its tag, which is that of its content.
 */
export class RuntimeImages {
  readonly #options: RuntimeImagesOptions
  /** By tag: two runtimes of one program may need the same image at once. */
  readonly #making = new Map<string, Promise<string>>()

  constructor(options: RuntimeImagesOptions) {
    this.#options = options
  }

  /** Builds and pushes an image of the user's. Throws RuntimeBuildError with what the tool or the registry said. */
  async build({ name, file, extraArgs = [] }: RuntimeBuild, signal?: AbortSignal): Promise<void> {
    const { log } = this.#options
    if (name === DEFAULT_RUNTIME)
      throw new ConfigError(
        "The runtime 'default' is not built: deploying it needs no Dockerfile. Give the image a name of its own, such as my-runtime:1.",
      )
    const image = this.#imageOf(name)
    await using tool = await this.#tool(signal)
    const onLine = (line: string) => log.debug(line)
    if (file === undefined) {
      const base = this.#baseImage
      log.info(`building ${image} of ${base}: no Dockerfile was named`)
      await this.#bring(tool, base, undefined, signal)
      await tool.tag(base, image, { signal })
    } else {
      const dockerfile = resolve(file)
      log.info(`building ${image} of ${file} with ${tool.name}`)
      await tool.build({
        image,
        dockerfile,
        context: dirname(dockerfile),
        platform: this.#platform,
        extraArgs,
        signal,
        onLine,
      })
    }
    await this.#push(tool, image, await this.#loginFor(image, signal), signal)
  }

  /**
   * The image of a runtime with these functions as well: built over that of `base` and pushed, where the registry does not have
   * it. Returns its full name, whose tag is that of its content.
   *
   * @throws RuntimeDeployError when nothing was built under the name `base`
   * @throws RuntimeBuildError with what the tool or the registry said
   */
  async extend({ base, functions }: RuntimeExtension, signal?: AbortSignal): Promise<ExtendedRuntime> {
    const plan = await this.#extensionOf(base, functions, signal)
    const { image } = plan
    const isThere = async () =>
      (await digestOf(image, { login: await this.#loginFor(image, signal), signal })) !== undefined
    if (await isThere()) return { name: image, isBuilt: false }
    return oncePerMachine(
      image,
      async () => {
        if (await isThere()) return { name: image, isBuilt: false }
        const { log } = this.#options
        log.info(`building ${image}, functions over ${plan.base}`)
        const files = await functionFiles(functions)
        this.#warnOfPublic(image)
        const [platform, owner] = [this.#platform, await this.#options.owner?.()]
        await this.#buildOver(plan, signal, (tool, local, options) =>
          buildExtensionImage(tool, { image, base: local, files, platform, owner }, options),
        )
        return { name: image, isBuilt: true }
      },
      { signal },
    )
  }

  async #extensionOf(
    base: string,
    functions: readonly RuntimeFunction[],
    signal: AbortSignal | undefined,
  ): Promise<Pick<ImagePlan, 'image' | 'base'>> {
    const { section, settings } = this.#options
    if (base === DEFAULT_RUNTIME) {
      const tag = extensionTag(this.#baseImage, functions, this.#platform)
      return {
        image: imageName(section, settings.registry, `${EXTENDED_PATH}:${tag}`),
        base: this.#baseImage,
      }
    }
    const { own, digest } = await this.#ownImage(base, signal)
    const tag = extensionTag(digest, functions, this.#platform)
    const image = formatImageReference({ ...parseImageReference(own), tag, digest: undefined })
    return { image, base: byDigest(own, digest) }
  }

  /**
   * The image of a runtime with this worker, by its digest; made and pushed where the registry does not have it.
   *
   * @throws RuntimeDeployError when nothing was built under the name
   */
  async ensure(runtime: string, code: WorkerCode, signal?: AbortSignal): Promise<ReadyImage> {
    const plan = await this.#plan(runtime, code, signal)
    const { digests, log } = this.#options
    const { image } = plan
    const known = digests.find(image)
    const login = this.#configLogin(image)
    if (known !== undefined) {
      return { image: byDigest(image, known), login, forget: () => digests.forget(image) }
    }
    const there = await digestOf(image, { login: await this.#loginFor(image, signal), signal })
    const digest = there ?? (await this.#makeOnce(plan, signal))
    log.debug(`${runtime} is ${byDigest(image, digest)}`)
    digests.add(image, digest)
    return { image: byDigest(image, digest), login, forget: undefined }
  }

  async #plan(runtime: string, code: WorkerCode, signal: AbortSignal | undefined): Promise<ImagePlan> {
    const { section, settings } = this.#options
    if (runtime === DEFAULT_RUNTIME) {
      const base = this.#baseImage
      const tag = contentTag([base, code.id, this.#platform])
      const path = this.#options.defaultPath ?? DEFAULT_PATH
      const image = imageName(section, settings.registry, `${path}:${tag}`)
      return { image, base, code }
    }
    const { own, digest } = await this.#ownImage(runtime, signal)
    const tag = `${WORKER_TAG}${contentTag([digest, code.id, this.#platform])}`
    const image = formatImageReference({ ...parseImageReference(own), tag, digest: undefined })
    return { image, base: byDigest(own, digest), code }
  }

  /** The image that the user has built under a runtime's name. Throws RuntimeDeployError where there is none. */
  async #ownImage(
    runtime: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly own: string; readonly digest: string }> {
    const own = this.#imageOf(runtime)
    const login = await this.#loginFor(own, signal)
    const digest = parseImageReference(own).digest ?? (await digestOf(own, { login, signal }))
    if (digest !== undefined) return { own, digest }
    const { section } = this.#options
    const isExtended = parseImageReference(own).path.split('/').at(-1) === EXTENDED_PATH
    throw new RuntimeDeployError(
      `There is no image of the runtime '${runtime}' (${own}). ` +
        (isExtended
          ? `Make it with \`lithops runtime extend default --filepath FILE --function NAME -b ${section}\`.`
          : `Build it with \`lithops runtime build ${runtime} -f Dockerfile -b ${section}\`, or use the runtime 'default', which needs none.`),
      { details: { runtime, image: own } },
    )
  }

  #makeOnce(plan: ImagePlan, signal: AbortSignal | undefined): Promise<string> {
    let making = this.#making.get(plan.image)
    if (making === undefined) {
      making = this.#makeAlone(plan, signal).finally(() => this.#making.delete(plan.image))
      this.#making.set(plan.image, making)
    }
    return making
  }

  /** Another program that began at the same time may have made it meanwhile. */
  #makeAlone(plan: ImagePlan, signal: AbortSignal | undefined): Promise<string> {
    const { image } = plan
    return oncePerMachine(
      image,
      async () =>
        (await digestOf(image, { login: await this.#loginFor(image, signal), signal })) ??
        (await this.#make(plan, signal)),
      { signal },
    )
  }

  async #make(plan: ImagePlan, signal: AbortSignal | undefined): Promise<string> {
    const { log } = this.#options
    const { image, base, code } = plan
    log.info(`building ${image}, the worker over ${base}`)
    if (code.hasFunctions) {
      this.#warnOfPublic(image)
      noteFunctionBuild({ log })
    }
    return this.#buildOver(plan, signal, async (tool, local, options) => {
      const { worker, files, executables } = await code.files({ signal, log })
      const [platform, owner] = [this.#platform, await this.#options.owner?.()]
      const made = { image, base: local, worker, files, executables, platform, owner }
      await buildWorkerImage(tool, made, options)
    })
  }

  /** Builds an image over its base, pushes it, and leaves nothing of it on this machine. Returns its digest. */
  async #buildOver(
    { image, base }: Pick<ImagePlan, 'image' | 'base'>,
    signal: AbortSignal | undefined,
    build: (tool: ImageTool, base: string, options: StepOptions) => Promise<void>,
  ): Promise<string> {
    const login = await this.#loginFor(image, signal)
    await using tool = await this.#tool(signal)
    const pulled = await this.#bring(tool, base, login, signal)
    // the build runs with the logins of the person at this machine: it must find its base here. The name is this image's
    // own: other programs may be building over the same base.
    const local = `localhost/lithops-base:${contentTag([base, image])}`
    await tool.tag(base, local, { signal })
    try {
      await build(tool, local, { signal, onLine: line => this.#options.log.debug(line) })
      return await this.#push(tool, image, login, signal)
    } finally {
      // the base of the config is the user's own, and may have been here before
      for (const name of [image, local, ...(pulled && base.includes('@') ? [base] : [])])
        await tool.remove(name)
    }
  }

  #warnOfPublic(image: string): void {
    const { log, settings } = this.#options
    warnOfPublicCode(image, { isPrivate: settings.registry.isPrivate ?? false, log })
  }

  /** Returns whether it had to be pulled. */
  async #bring(
    tool: ImageTool,
    image: string,
    login: RegistryLogin | undefined,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (await tool.has(image, { signal })) return false
    const { log } = this.#options
    log.info(`pulling ${image}`)
    if (login !== undefined && parseImageReference(image).server === login.server)
      await tool.login(login, { signal })
    await tool.pull(image, { signal, onLine: line => log.debug(line) })
    return true
  }

  async #push(
    tool: ImageTool,
    image: string,
    login: RegistryLogin | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { log, beforePush } = this.#options
    await beforePush?.(signal)
    if (login !== undefined) await tool.login(login, { signal })
    log.info(`pushing ${image}`)
    const digest = await tool.push(image, { signal, onLine: line => log.debug(line) })
    log.info(`pushed ${byDigest(image, digest)}`)
    return digest
  }

  /** The full name of the image of a runtime's name. */
  #imageOf(name: string): string {
    const { section, settings } = this.#options
    const image = runtimeImage(section, settings.registry, name)
    const { tag } = parseImageReference(image)
    if (tag?.startsWith(WORKER_TAG))
      throw new ConfigError(`'${name}' is no name of a runtime: its tag must not begin with '${WORKER_TAG}'.`)
    return image
  }

  /** Who logs in to the registry of the image; undefined leaves it to the logins of the tool. */
  async #loginFor(image: string, signal: AbortSignal | undefined): Promise<RegistryLogin | undefined> {
    const { server } = parseImageReference(image)
    return this.#configLogin(image) ?? (await this.#options.login?.(server, signal))
  }

  /** The config's login, where the image is on its registry. */
  #configLogin(image: string): RegistryLogin | undefined {
    const login = loginOf(this.#options.section, this.#options.settings.registry)
    return login?.server === parseImageReference(image).server ? login : undefined
  }

  get #baseImage(): string {
    return this.#options.settings.baseImage ?? DEFAULT_BASE_IMAGE
  }

  get #platform(): string {
    return `linux/${this.#options.settings.architecture}`
  }

  #tool(signal: AbortSignal | undefined): Promise<ImageTool> {
    return findImageTool({ tool: this.#options.settings.containerTool, signal })
  }
}
