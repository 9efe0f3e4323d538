import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RuntimeBuildError } from '@lithops/core/driver'
import { parseImageReference } from './image-reference.ts'
import { type RegistryLogin, registryKind } from './registries.ts'
import { type ProgramResult, type RunOptions, runProgram } from './run-program.ts'
import { toolFailed, toolMissing } from './tool-errors.ts'

/** Programs that build images. */
export type ImageToolName = 'docker' | 'podman' | 'buildah'

export interface StepOptions {
  readonly signal?: AbortSignal | undefined
  /** Takes the lines that the tool writes while it works. */
  readonly onLine?: ((line: string) => void) | undefined
}

export interface ImageBuild extends StepOptions {
  /** Name of the image, with its tag. */
  readonly image: string
  /** Path of the Dockerfile. */
  readonly dockerfile: string
  /** Folder whose files COPY sees. */
  readonly context: string
  /** Such as 'linux/amd64'. */
  readonly platform: string
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** More arguments for the tool, as they are. */
  readonly extraArgs?: readonly string[]
}

/** Where a tool was found, and how it is called. */
export interface FoundTool {
  readonly name: ImageToolName
  /** Path, or name on the PATH. */
  readonly program: string
  readonly version: string
  /** Daemon of docker, where it is not the usual one: a context may name another. */
  readonly host?: string | undefined
}

/**
 * One of docker, podman and buildah, in what all three can do. Logins are this object's own, in a folder that goes with
 * `close()`: those of the person at this machine are neither used by `pull` and `push` after `login`, nor changed.
 */
export class ImageTool implements AsyncDisposable {
  readonly name: ImageToolName
  readonly version: string
  readonly #program: string
  readonly #host: string | undefined
  #folder: Promise<string> | undefined
  #hasLogin = false

  constructor({ name, program, version, host }: FoundTool) {
    this.name = name
    this.version = version
    this.#program = program
    this.#host = host
  }

  /** Builds an image for one platform, and keeps it on this machine. Throws RuntimeBuildError with what the tool said. */
  async build({ image, dockerfile, context, platform, ...more }: ImageBuild): Promise<void> {
    const { buildArgs = {}, labels = {}, extraArgs = [], signal, onLine } = more
    await this.#step(
      `Building the image ${image}`,
      [
        'build',
        `--platform=${platform}`,
        `--tag=${image}`,
        `--file=${dockerfile}`,
        ...Object.entries(buildArgs).map(([key, value]) => `--build-arg=${key}=${value}`),
        ...Object.entries(labels).map(([key, value]) => `--label=${key}=${value}`),
        ...extraArgs,
        context,
      ],
      // an index with a list of what went in is not an image for every platform: Lambda refuses it
      { signal, onLine, env: { BUILDX_NO_DEFAULT_ATTESTATIONS: '1' } },
    )
  }

  /** Keeps a login for `pull` and `push`, checked by the registry. The password goes to the tool's standard input. */
  async login({ server, user, password }: RegistryLogin, { signal }: StepOptions = {}): Promise<void> {
    const args = ['login', ...this.#insecure(server), `--username=${user}`, '--password-stdin', server]
    const env = await this.#ownLogins()
    await this.#step(`Logging in to ${server} as ${user}`, args, { signal, env, input: password })
    this.#hasLogin = true
  }

  /** Gives an image of this machine one more name. */
  async tag(image: string, name: string, { signal }: StepOptions = {}): Promise<void> {
    await this.#step(`Tagging the image ${image}`, ['tag', image, name], { signal })
  }

  /** Brings an image to this machine. */
  async pull(image: string, { signal, onLine }: StepOptions = {}): Promise<void> {
    const args = ['pull', ...this.#insecure(image), image]
    await this.#step(`Pulling the image ${image}`, args, { signal, onLine, env: await this.#logins() })
  }

  /** Sends an image to the registry that it is named after. Returns its digest there, `sha256:…`. */
  async push(image: string, { signal, onLine }: StepOptions = {}): Promise<string> {
    const step = `Pushing the image ${image}`
    const options = { signal, onLine, env: await this.#logins() }
    if (this.name === 'docker') {
      const { stdout } = await this.#step(step, ['push', image], options)
      return this.#digestIn(stdout, step)
    }
    const file = join(await this.#ownFolder(), `digest-${randomBytes(4).toString('hex')}`)
    // the older format is taken by every registry and platform; signatures are of other registries
    const format = ['--format=docker', '--remove-signatures']
    await this.#step(
      step,
      ['push', ...this.#insecure(image), ...format, `--digestfile=${file}`, image],
      options,
    )
    return this.#digestIn(await readFile(file, 'utf8'), step)
  }

  /** Whether this machine has an image of that name. */
  async has(image: string, { signal }: StepOptions = {}): Promise<boolean> {
    const { exitCode } = await this.#run(
      `Looking for the image ${image}`,
      ['inspect', '--type=image', image],
      {
        signal,
      },
    )
    return exitCode === 0
  }

  /** Removes a name of an image from this machine, and the image with its last name. What is not there is no error. */
  async remove(image: string, { signal }: StepOptions = {}): Promise<void> {
    if (await this.has(image, { signal }))
      await this.#step(`Removing the image ${image}`, ['rmi', image], { signal })
  }

  /** Forgets the logins. May be called twice. */
  async close(): Promise<void> {
    const folder = this.#folder
    this.#folder = undefined
    this.#hasLogin = false
    if (folder !== undefined) await rm(await folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #digestIn(text: string, step: string): string {
    const digest = /sha256:[0-9a-f]{64}/.exec(text)?.[0]
    if (digest !== undefined) return digest
    throw new RuntimeBuildError(`${step}: ${this.name} ${this.version} told no digest of what it pushed.`, {
      details: { tool: this.name, step },
    })
  }

  /** A registry of this machine speaks plain HTTP as a rule; docker knows that by itself. */
  #insecure(imageOrServer: string): readonly string[] {
    if (this.name === 'docker') return []
    const server = imageOrServer.includes('/') ? parseImageReference(imageOrServer).server : imageOrServer
    return registryKind(server) === 'local' ? ['--tls-verify=false'] : []
  }

  #ownFolder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'lithops-images-'))
    return this.#folder
  }

  async #ownLogins(): Promise<Record<string, string>> {
    const folder = await this.#ownFolder()
    return this.name === 'docker'
      ? { DOCKER_CONFIG: folder }
      : { REGISTRY_AUTH_FILE: join(folder, 'auth.json') }
  }

  async #logins(): Promise<Record<string, string>> {
    return this.#hasLogin ? this.#ownLogins() : {}
  }

  async #step(step: string, args: readonly string[], options: RunOptions): Promise<ProgramResult> {
    const result = await this.#run(step, args, options)
    if (result.exitCode !== 0) throw toolFailed(this.name, step, result)
    return result
  }

  async #run(step: string, args: readonly string[], options: RunOptions): Promise<ProgramResult> {
    // another folder of docker's has no contexts: the daemon is named
    const host = this.#host === undefined ? {} : { DOCKER_HOST: this.#host }
    try {
      return await runProgram(this.#program, args, { ...options, env: { ...host, ...options.env } })
    } catch (error) {
      options.signal?.throwIfAborted()
      throw toolMissing(this.#program, step, error)
    }
  }
}
