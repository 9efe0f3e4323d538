import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { ImageContent } from '../ecr/image-content.ts'
import type { Revision } from '../lambda/lambda-function.ts'
import type { LogStore } from '../logs/log-store.ts'
import type { AwsSetting, FakeAwsOptions } from '../options.ts'
import { ExecutionEnvironment } from './execution-environment.ts'
import { GroupGuard } from './group-guard.ts'
import { Installer } from './installer.ts'
import { MemoryWatch } from './memory-watch.ts'
import { RuntimeApi } from './runtime-api.ts'
import { WorkerProcess } from './worker-process.ts'

/** Access keys of a role's session, for a worker. */
export interface WorkerKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Makes environments of functions. */
export class Launcher {
  readonly #setting: AwsSetting
  readonly #options: FakeAwsOptions
  readonly #logs: LogStore
  readonly #keysOf: (roleArn: string) => WorkerKeys
  readonly #installer: Installer
  readonly #watch = new MemoryWatch()
  #guard: GroupGuard | undefined
  #environmentCount = 0
  #isClosed = false

  constructor(options: {
    readonly setting: AwsSetting
    readonly options: FakeAwsOptions
    readonly logs: LogStore
    readonly keysOf: (roleArn: string) => WorkerKeys
    /** What an image of the registry is made of, by its digest. */
    readonly imageContent: (digest: string) => ImageContent | undefined
  }) {
    this.#setting = options.setting
    this.#options = options.options
    this.#logs = options.logs
    this.#keysOf = options.keysOf
    this.#installer = new Installer(options.options, options.imageContent)
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
    const installation = await this.#installer.install(revision, guard.folder)
    const home = path.join(guard.folder, `environment-${++this.#environmentCount}`)
    const tmp = path.join(home, 'tmp')
    await mkdir(tmp, { recursive: true })
    const api = await RuntimeApi.start()
    const logGroup = settings.LoggingConfig?.LogGroup ?? `/aws/lambda/${functionName}`
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/')
    const logStream = `${day}/[${version}]${randomBytes(16).toString('hex')}`
    const env = {
      TMPDIR: tmp,
      HOME: path.join(home, 'none'),
      ...this.#variables(revision),
      ...installation.env,
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: version,
      AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: logStream,
      LITHOPS_FAKE_AWS: guard.folder,
    }
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
      start: onOutput => new WorkerProcess({ ...installation, env, guard, onOutput }),
      remove: () => rm(home, { recursive: true, force: true, maxRetries: 3 }),
    })
  }

  /** May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#guard?.close()
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
}
