import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CodePackage } from '../lambda/code-package.ts'
import type { Revision } from '../lambda/lambda-function.ts'
import type { LogStore } from '../logs/log-store.ts'
import type { AwsSetting, FakeAwsOptions } from '../options.ts'
import { ExecutionEnvironment } from './execution-environment.ts'
import { GroupGuard } from './group-guard.ts'
import { MemoryWatch } from './memory-watch.ts'
import { RuntimeApi } from './runtime-api.ts'
import { WorkerProcess } from './worker-process.ts'

const BOOTSTRAP = fileURLToPath(new URL('bootstrap.mjs', import.meta.url))
/** Part of the memory that Node's runtime of Lambda gives to the old space of the heap. */
const HEAP_SHARE = 0.9

/** Access keys of a role's session, for a worker. */
export interface WorkerKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Makes environments: unpacks code and layers, and starts Node on them. */
export class Launcher {
  readonly #setting: AwsSetting
  readonly #options: FakeAwsOptions
  readonly #logs: LogStore
  readonly #keysOf: (roleArn: string) => WorkerKeys
  readonly #imageFolder: (digest: string) => string | undefined
  readonly #watch = new MemoryWatch()
  readonly #unpacked = new Map<string, Promise<string>>()
  #guard: GroupGuard | undefined
  #environmentCount = 0
  #isClosed = false

  constructor(options: {
    readonly setting: AwsSetting
    readonly options: FakeAwsOptions
    readonly logs: LogStore
    readonly keysOf: (roleArn: string) => WorkerKeys
    /** The folder that stands for an image's task root. */
    readonly imageFolder: (digest: string) => string | undefined
  }) {
    this.#setting = options.setting
    this.#options = options.options
    this.#logs = options.logs
    this.#keysOf = options.keysOf
    this.#imageFolder = options.imageFolder
  }

  /** Where everything of this cloud lies; undefined while nothing does. */
  get folder(): string | undefined {
    return this.#guard?.folder
  }

  async open(functionName: string, version: string, revision: Revision): Promise<ExecutionEnvironment> {
    if (this.#isClosed) throw new Error('this cloud is closed')
    this.#guard ??= new GroupGuard()
    const guard = this.#guard
    const { settings } = revision
    const taskRoot = await this.#taskRoot(revision)
    const opt = await this.#optFolder(revision)
    const home = path.join(guard.folder, `environment-${++this.#environmentCount}`)
    const tmp = path.join(home, 'tmp')
    await mkdir(tmp, { recursive: true })
    const api = await RuntimeApi.start()
    const logGroup = settings.LoggingConfig?.LogGroup ?? `/aws/lambda/${functionName}`
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/')
    const logStream = `${day}/[${version}]${randomBytes(16).toString('hex')}`
    const handler = settings.Handler ?? settings.ImageConfig?.Command?.[0] ?? 'index.handler'
    const env = {
      ...this.#variables(revision),
      PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
      NODE_PATH: [`${opt}/nodejs/node_modules`, `${taskRoot}/node_modules`].join(path.delimiter),
      LD_LIBRARY_PATH: [`${taskRoot}`, `${taskRoot}/lib`, `${opt}/lib`].join(path.delimiter),
      TMPDIR: tmp,
      HOME: path.join(home, 'none'),
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: version,
      AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: logStream,
      LAMBDA_TASK_ROOT: taskRoot,
      LAMBDA_RUNTIME_DIR: path.dirname(BOOTSTRAP),
      LITHOPS_FAKE_AWS: guard.folder,
      _HANDLER: handler,
    }
    const launch = this.#command(handler, settings.MemorySize)
    return new ExecutionEnvironment({
      version,
      timeoutS: settings.Timeout,
      memoryMB: settings.MemorySize,
      initLimitMs: this.#setting.timing.initLimitMs,
      coldStartMs: this.#setting.timing.coldStartMs,
      outOfMemoryErrorType: this.#options.outOfMemoryErrorType ?? 'Runtime.ExitError',
      api,
      watch: this.#watch,
      log: this.#logs.sink(logGroup, logStream),
      start: onOutput => new WorkerProcess({ ...launch, cwd: taskRoot, env, guard, onOutput }),
      remove: () => rm(home, { recursive: true, force: true, maxRetries: 3 }),
    })
  }

  /** May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#guard?.close()
  }

  #command(handler: string, memoryMB: number) {
    const command = this.#options.node ?? process.execPath
    const heap = `--max-old-space-size=${Math.floor(memoryMB * HEAP_SHARE)}`
    const client = this.#options.runtimeInterfaceClient ?? process.env.LITHOPS_AWS_LAMBDA_RIC
    const program = client === undefined ? BOOTSTRAP : programOf(client)
    return { command, args: [heap, program, handler], hasTelemetry: client !== undefined }
  }

  /** Variables that are the same in all environments of a revision. */
  #variables({ settings }: Revision): Record<string, string> {
    const keys = this.#options.workerCredentials ?? this.#keysOf(settings.Role)
    return {
      ...this.#options.workerEnvironment,
      ...settings.Environment?.Variables,
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      AWS_REGION: this.#setting.region,
      AWS_DEFAULT_REGION: this.#setting.region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${settings.Runtime ?? 'Image'}`,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.MemorySize),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...(keys.sessionToken !== undefined && { AWS_SESSION_TOKEN: keys.sessionToken }),
    }
  }

  #taskRoot({ code }: Revision): Promise<string> {
    if (code.kind === 'zip') return this.#unpack(`code-${idOf(code.code)}`, [code.code])
    const folder = this.#imageFolder(code.digest)
    if (folder === undefined) throw new Error(`nothing was said to stand for the image ${code.uri}`)
    return Promise.resolve(folder)
  }

  #optFolder({ layers }: Revision): Promise<string> {
    const codes = layers.map(({ code }) => code)
    return this.#unpack(`opt-${codes.map(idOf).join('-')}`, codes)
  }

  /** Once for each content, over each other in their order. */
  #unpack(name: string, packages: readonly CodePackage[]): Promise<string> {
    const known = this.#unpacked.get(name)
    if (known !== undefined) return known
    const folder = path.join(this.#guard?.folder ?? '', name)
    const unpacking = (async () => {
      await mkdir(folder, { recursive: true })
      for (const code of packages) await code.unpack(folder)
      return folder
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
