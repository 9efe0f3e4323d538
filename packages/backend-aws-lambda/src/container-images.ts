import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import {
  buildExtensionImage,
  buildWorkerImage,
  byDigest,
  contentTag,
  DEFAULT_BASE_IMAGE,
  extensionTag,
  findImageTool,
  functionFiles,
  type ImageTool,
  oncePerMachine,
  parseImageReference,
  type StepOptions,
} from '@lithops/container-runtime'
import {
  ConfigError,
  type DriverLog,
  type ExtendedRuntime,
  type RuntimeBuild,
  RuntimeBuildError,
  RuntimeDeployError,
  type RuntimeExtension,
} from '@lithops/core/driver'
import type { AwsClients } from './clients.ts'
import type { AwsLambdaSettings } from './config.ts'
import { repositoryName } from './names.ts'
import { attempt, isNamed } from './vendor-errors.ts'
import type { WorkerFiles, ZipOptions } from './worker-code.ts'
import { workerFile } from './worker-file.ts'

export interface ContainerImagesOptions {
  readonly clients: AwsClients
  readonly settings: AwsLambdaSettings
  readonly userKey: string
  readonly log: DriverLog
}

/** What a worker's image has over the image that the user has built. */
export interface ImageWorker {
  /** The same for the same content. */
  readonly id: string
  /** Files beside the loop that runs them; `index.mjs` exports the handler. */
  files(options: ZipOptions): Promise<WorkerFiles>
}

/** An image of a runtime with its worker, known by its content before it is made. */
export interface PlannedImage {
  readonly id: string
  /** Makes it where the registry does not have it. Returns its URI by digest. */
  ensure(signal: AbortSignal | undefined): Promise<string>
}

interface Repository {
  readonly name: string
  /** Host, path: without tag. */
  readonly uri: string
}

/**
 * Images of runtimes in the account's registry, ECR. What the user builds is pushed as it is, under the runtime's name; the
 * worker is laid over it when it is deployed, in an image of its own, so that a new version of the worker, or one with
 * other drivers, needs no new build by the user.
 */
export class ContainerImages {
  readonly #options: ContainerImagesOptions

  constructor(options: ContainerImagesOptions) {
    this.#options = options
  }

  /** Builds and pushes an image of the user's. Throws RuntimeBuildError with what the tool or the registry said. */
  async build({ name, file, extraArgs = [] }: RuntimeBuild, signal?: AbortSignal): Promise<void> {
    const { log } = this.#options
    const place = this.#placeOf(name)
    await using tool = await this.#tool(signal)
    const local = `localhost/lithops-runtime/${place.path}:${place.tag}`
    const onLine = (line: string) => log.debug(line)
    if (file === undefined) {
      log.info(`building ${name} of ${DEFAULT_BASE_IMAGE}: no Dockerfile was named`)
      await tool.pull(DEFAULT_BASE_IMAGE, { signal, onLine })
      await tool.tag(DEFAULT_BASE_IMAGE, local, { signal })
    } else {
      const dockerfile = resolve(file)
      const context = dirname(dockerfile)
      log.info(`building ${name} of ${file} with ${tool.name}`)
      await tool.build({
        image: local,
        dockerfile,
        context,
        platform: this.#platform,
        extraArgs,
        signal,
        onLine,
      })
    }
    const repository = await this.#ensureRepository(place.path, signal)
    const image = `${repository.uri}:${place.tag}`
    await this.#login(tool, signal)
    await tool.tag(local, image, { signal })
    log.info(`pushing ${image}`)
    const digest = await tool.push(image, { signal, onLine })
    await tool.remove(image)
    log.info(`pushed ${byDigest(image, digest)}`)
  }

  /**
   * An image of a runtime that has these functions as well: built over that of `base` and pushed beside it, where the
   * repository does not have it. Returns its full name, whose tag is that of its content.
   *
   * @throws RuntimeDeployError when nothing was built under the name `base`
   */
  async extend({ base, functions }: RuntimeExtension, signal?: AbortSignal): Promise<ExtendedRuntime> {
    const { repository, digest } = await this.#ownImage(base, signal)
    const tag = extensionTag(digest, functions, this.#platform)
    const name = `${repository.uri}:${tag}`
    const isThere = async () => (await this.#digestOf(repository, tag, signal)) !== undefined
    if (await isThere()) return { name, isBuilt: false }
    return oncePerMachine(
      name,
      async () => {
        if (await isThere()) return { name, isBuilt: false }
        const files = await functionFiles(functions)
        this.#options.log.info(`building ${name}, functions over the image of the runtime`)
        await this.#buildOver(repository, { image: name, base: digest }, signal, (tool, local, options) =>
          buildExtensionImage(tool, { image: name, base: local, files, platform: this.#platform }, options),
        )
        return { name, isBuilt: true }
      },
      { signal },
    )
  }

  /** The image of a runtime with a worker in it. Throws RuntimeDeployError when nothing was built under the name. */
  async plan(name: string, worker: ImageWorker, signal?: AbortSignal): Promise<PlannedImage> {
    const { repository, digest: base } = await this.#ownImage(name, signal)
    const loop = await readFile(workerFile('runtime-loop.cjs'))
    const id = contentTag([base, loop, worker.id, this.#platform])
    return {
      id,
      ensure: async signal => {
        const workerTag = `worker-${id}`
        const image = `${repository.uri}:${workerTag}`
        const find = () => this.#digestOf(repository, workerTag, signal)
        const digest =
          (await find()) ??
          (await oncePerMachine(
            image,
            async () => {
              const there = await find() // another program may have made it meanwhile
              if (there !== undefined) return there
              const files = await worker.files({ signal, log: this.#options.log })
              return this.#makeImage(repository, { image, base, loop, files }, signal)
            },
            { signal },
          ))
        return `${repository.uri}@${digest}`
      },
    }
  }

  /** Names of this user's repositories. */
  async repositories(signal?: AbortSignal): Promise<readonly string[]> {
    const { paginateDescribeRepositories } = await import('@aws-sdk/client-ecr')
    const client = await this.#options.clients.ecr()
    return attempt('listing the repositories of ECR', signal, async () => {
      const prefix = repositoryName(this.#naming, '')
      const found: string[] = []
      for await (const page of paginateDescribeRepositories({ client }, {})) {
        signal?.throwIfAborted()
        for (const { repositoryName: one = '' } of page.repositories ?? [])
          if (one.startsWith(prefix)) found.push(one)
      }
      return found
    })
  }

  /** Removes a repository with its images. One that is not there is no error. */
  async removeRepository(name: string): Promise<void> {
    const { DeleteRepositoryCommand } = await import('@aws-sdk/client-ecr')
    const client = await this.#options.clients.ecr()
    await client.send(new DeleteRepositoryCommand({ repositoryName: name, force: true })).catch(error => {
      if (!isNamed(error, 'RepositoryNotFoundException')) throw error
    })
  }

  get #naming() {
    return { namespace: this.#options.settings.namespace, userKey: this.#options.userKey }
  }

  get #platform(): string {
    return this.#options.settings.architecture === 'arm64' ? 'linux/arm64' : 'linux/amd64'
  }

  #tool(signal: AbortSignal | undefined): Promise<ImageTool> {
    return findImageTool({ tool: this.#options.settings.containerTool, signal })
  }

  async #makeImage(
    repository: Repository,
    parts: {
      readonly image: string
      readonly base: string
      readonly loop: Uint8Array
      readonly files: WorkerFiles
    },
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { image, loop: worker, files } = parts
    this.#options.log.info(`building ${image}, the worker over the image of the runtime`)
    return this.#buildOver(repository, parts, signal, (tool, base, options) =>
      buildWorkerImage(tool, { image, base, worker, ...files, platform: this.#platform }, options),
    )
  }

  /** Builds an image over the one of that digest, and pushes it. Returns its digest. */
  async #buildOver(
    repository: Repository,
    { image, base }: { readonly image: string; readonly base: string },
    signal: AbortSignal | undefined,
    build: (tool: ImageTool, base: string, options: StepOptions) => Promise<void>,
  ): Promise<string> {
    await using tool = await this.#tool(signal)
    const onLine = (line: string) => this.#options.log.debug(line)
    await this.#login(tool, signal)
    const pulled = `${repository.uri}@${base}`
    await tool.pull(pulled, { signal, onLine })
    // the build runs with the logins of the person at this machine: it must find its base here. The name is this image's own:
    // other programs may be building over the same base.
    const local = `localhost/lithops-base:${contentTag([base, image])}`
    await tool.tag(pulled, local, { signal })
    try {
      await build(tool, local, { signal, onLine })
      return await tool.push(image, { signal, onLine })
    } finally {
      for (const name of [image, local]) await tool.remove(name)
    }
  }

  async #login(tool: ImageTool, signal: AbortSignal | undefined): Promise<void> {
    const { GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr')
    const client = await this.#options.clients.ecr()
    const { authorizationData } = await attempt('asking ECR for a password', signal, () =>
      client.send(new GetAuthorizationTokenCommand({})),
    )
    const { authorizationToken = '', proxyEndpoint = '' } = authorizationData?.[0] ?? {}
    const [user = '', ...password] = Buffer.from(authorizationToken, 'base64').toString('utf8').split(':')
    if (user === '' || !URL.canParse(proxyEndpoint))
      throw new RuntimeBuildError('ECR gave no password to push with.')
    const { host: server } = new URL(proxyEndpoint)
    await tool.login({ server, user, password: password.join(':') }, { signal })
  }

  async #findRepository(path: string, signal: AbortSignal | undefined): Promise<Repository | undefined> {
    const { DescribeRepositoriesCommand } = await import('@aws-sdk/client-ecr')
    const client = await this.#options.clients.ecr()
    const name = repositoryName(this.#naming, path)
    return attempt(`looking for the repository ${name} in ECR`, signal, async () => {
      try {
        const { repositories } = await client.send(
          new DescribeRepositoriesCommand({ repositoryNames: [name] }),
        )
        const uri = repositories?.[0]?.repositoryUri
        return uri === undefined ? undefined : { name, uri }
      } catch (error) {
        if (isNamed(error, 'RepositoryNotFoundException')) return undefined
        throw error
      }
    })
  }

  async #ensureRepository(path: string, signal: AbortSignal | undefined): Promise<Repository> {
    const { CreateRepositoryCommand } = await import('@aws-sdk/client-ecr')
    const client = await this.#options.clients.ecr()
    const name = repositoryName(this.#naming, path)
    const created = await attempt(`making the repository ${name} in ECR`, signal, () =>
      client.send(new CreateRepositoryCommand({ repositoryName: name })).catch(error => {
        if (isNamed(error, 'RepositoryAlreadyExistsException')) return undefined
        throw error
      }),
    )
    const uri = created?.repository?.repositoryUri
    const repository = uri === undefined ? await this.#findRepository(path, signal) : { name, uri }
    if (repository !== undefined) return repository
    throw new RuntimeBuildError(`The repository ${name} was removed from ECR while an image was being built.`)
  }

  /** Undefined when there is no image of that tag. */
  async #digestOf({ name }: Repository, tag: string, signal: AbortSignal | undefined) {
    const { DescribeImagesCommand } = await import('@aws-sdk/client-ecr')
    const client = await this.#options.clients.ecr()
    return attempt(`looking for the image ${name}:${tag} in ECR`, signal, async () => {
      try {
        const command = new DescribeImagesCommand({ repositoryName: name, imageIds: [{ imageTag: tag }] })
        return (await client.send(command)).imageDetails?.[0]?.imageDigest
      } catch (error) {
        if (isNamed(error, 'ImageNotFoundException', 'RepositoryNotFoundException')) return undefined
        throw error
      }
    })
  }

  /** The image that the user has built under a runtime's name. Throws RuntimeDeployError where there is none. */
  async #ownImage(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly repository: Repository; readonly digest: string }> {
    const { path, tag } = this.#placeOf(name)
    const repository = await this.#findRepository(path, signal)
    const digest = repository && (await this.#digestOf(repository, tag, signal))
    if (repository !== undefined && digest !== undefined) return { repository, digest }
    throw new RuntimeDeployError(
      `There is no image of the runtime '${name}' in ECR (${repositoryName(this.#naming, path)}:${tag}). Build it with ` +
        `\`lithops runtime build ${name} -f Dockerfile -b aws_lambda\`, or use the runtime 'default', which needs none.`,
      { details: { runtime: name } },
    )
  }

  /**
   * Of a runtime's name, such as `sharp:2`, or in full, as `lithops runtime extend` prints it. Throws ConfigError for what is no
   * path and tag of an image, or an image of another registry.
   */
  #placeOf(name: string): { readonly path: string; readonly tag: string } {
    const first = name.includes('/') ? (name.split('/', 1)[0] as string) : ''
    const isFull = first === 'localhost' || /[.:]/.test(first)
    const { path, tag, digest } = parseImageReference(isFull ? name : `localhost/${name}`)
    const prefix = repositoryName(this.#naming, '')
    if (isFull && !path.startsWith(prefix))
      throw new ConfigError(
        `'${name}' is no runtime of yours: images that AWS Lambda runs lie in the account's own registry, below ${prefix}.`,
      )
    if (digest === undefined && tag !== undefined && !tag.startsWith('worker-'))
      return { path: isFull ? path.slice(prefix.length) : path, tag }
    throw new ConfigError(
      `'${name}' is no name of a runtime: it must be a path and a tag, such as my-runtime:1, whose tag does not begin with 'worker-'.`,
    )
  }
}
