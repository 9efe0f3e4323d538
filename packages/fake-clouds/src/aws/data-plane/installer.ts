import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ImageConfig, ImageContent } from '../ecr/image-content.ts'
import type { CodePackage } from '../lambda/code-package.ts'
import type { Revision } from '../lambda/lambda-function.ts'
import type { FakeAwsOptions } from '../options.ts'

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.mjs', import.meta.url))
/** Part of the memory that Node's runtime of Lambda gives to the old space of the heap. */
const HEAP_SHARE = 0.9
/** What makes another folder the root of a process. From: util-linux. */
const CHANGE_ROOT = 'unshare'

/** Code on disk, and how to start it. */
export interface Installation {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly hasTelemetry: boolean
  readonly env: Readonly<Record<string, string>>
}

/** Unpacks the code of functions, once for each content. */
export class Installer {
  readonly #options: FakeAwsOptions
  readonly #contentOf: (digest: string) => ImageContent | undefined
  readonly #program: string
  readonly #unpacked = new Map<string, Promise<string>>()
  readonly #roots = new Map<string, Promise<ImageConfig>>()

  constructor(options: FakeAwsOptions, contentOf: (digest: string) => ImageContent | undefined) {
    this.#options = options
    this.#contentOf = contentOf
    const client = options.runtimeInterfaceClient ?? process.env.LITHOPS_AWS_LAMBDA_RIC
    this.#program = client === undefined ? BOOTSTRAP : programOf(client)
  }

  /** Below `folder`, which is this cloud's. */
  async install(revision: Revision, folder: string): Promise<Installation> {
    const { code, settings } = revision
    if (code.kind === 'zip') {
      const taskRoot = await this.#unpack(folder, `code-${idOf(code.code)}`, [code.code])
      return this.#ofFolder(revision, taskRoot, folder, settings.Handler ?? '')
    }
    const content = this.#contentOf(code.digest)
    if (content === undefined) throw new Error(`nothing was said to stand for the image ${code.uri}`)
    if (content.kind === 'pushed') return this.#ofImage(revision, code.digest, content.unpack, folder)
    const handler = settings.ImageConfig?.Command?.[0] ?? 'index.handler'
    return this.#ofFolder(revision, content.folder, folder, handler)
  }

  /** A folder with the modules of a function. */
  async #ofFolder(
    { settings, layers }: Revision,
    taskRoot: string,
    folder: string,
    handler: string,
  ): Promise<Installation> {
    const codes = layers.map(({ code }) => code)
    const opt = await this.#unpack(folder, `opt-${codes.map(idOf).join('-')}`, codes)
    const heap = `--max-old-space-size=${Math.floor(settings.MemorySize * HEAP_SHARE)}`
    return {
      command: this.#options.node ?? process.execPath,
      args: [heap, this.#program, handler],
      cwd: taskRoot,
      hasTelemetry: this.#program !== BOOTSTRAP,
      env: {
        PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
        NODE_PATH: [`${opt}/nodejs/node_modules`, `${taskRoot}/node_modules`].join(path.delimiter),
        LD_LIBRARY_PATH: [`${taskRoot}`, `${taskRoot}/lib`, `${opt}/lib`].join(path.delimiter),
        LAMBDA_TASK_ROOT: taskRoot,
        LAMBDA_RUNTIME_DIR: path.dirname(this.#program),
        _HANDLER: handler,
      },
    }
  }

  /** What an image says of itself, with the image as its root. */
  async #ofImage(
    { settings }: Revision,
    digest: string,
    unpack: (folder: string) => Promise<ImageConfig>,
    folder: string,
  ): Promise<Installation> {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new Error(
        'functions of pushed images run on Linux, as root: their files become the root of a process',
      )
    }
    const root = path.join(folder, `image-${digest.replace('sha256:', '').slice(0, 16)}`)
    let unpacking = this.#roots.get(root)
    if (unpacking === undefined) {
      unpacking = unpack(root)
      this.#roots.set(root, unpacking)
    }
    const { Env = [], Entrypoint, Cmd, WorkingDir } = await unpacking
    const { EntryPoint, Command, WorkingDirectory } = settings.ImageConfig ?? {}
    const command = Command ?? Cmd ?? []
    const cwd = WorkingDirectory ?? (WorkingDir || '/')
    return {
      command: CHANGE_ROOT,
      args: [`--root=${root}`, `--wd=${cwd}`, '--', ...(EntryPoint ?? Entrypoint ?? []), ...command],
      cwd: folder,
      hasTelemetry: false,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LAMBDA_TASK_ROOT: '/var/task',
        LAMBDA_RUNTIME_DIR: '/var/runtime',
        _HANDLER: command[0] ?? '',
        TMPDIR: '/tmp',
        ...Object.fromEntries(Env.map(line => line.split(/=(.*)/s).slice(0, 2))),
      },
    }
  }

  /** Over each other in their order. */
  #unpack(folder: string, name: string, packages: readonly CodePackage[]): Promise<string> {
    const known = this.#unpacked.get(name)
    if (known !== undefined) return known
    const target = path.join(folder, name)
    const unpacking = (async () => {
      await mkdir(target, { recursive: true })
      for (const code of packages) await code.unpack(target)
      return target
    })()
    this.#unpacked.set(name, unpacking)
    return unpacking
  }
}

function idOf(code: CodePackage): string {
  return Buffer.from(code.sha256Base64, 'base64').toString('hex').slice(0, 16)
}

/** The program of an installed aws-lambda-ric. */
function programOf(folder: string): string {
  try {
    const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      readonly bin: Readonly<Record<string, string>>
    }
    return path.join(folder, bin['aws-lambda-ric'] as string)
  } catch (cause) {
    throw new Error(`there is no aws-lambda-ric in ${folder}: name the folder of the installed package`, {
      cause,
    })
  }
}
