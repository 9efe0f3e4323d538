import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  type Activation,
  type ActivationReport,
  CallTimeoutError,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type DeployOptions,
  encodeSecrets,
  InvocationError,
  type InvokeOptions,
  type RuntimeMetadata,
  type RuntimeSpec,
  SECRETS_ENVIRONMENT_NAME,
  TIMEOUT_MARK,
  WorkerLostError,
} from '../../src/driver/index.ts'

const MAX_BYTES = 1024 * 1024

/** One worker process, which runs one activation at a time and stays for the next. */
class Environment {
  readonly child: ChildProcess
  readonly #pipe: Duplex
  readonly #lines: string[] = []
  #wake: () => void = () => {}
  #rest = ''
  /** What it wrote to its own streams: the platform's log. */
  log = ''
  hasExited = false

  constructor(env: NodeJS.ProcessEnv) {
    const main = fileURLToPath(new URL('./environment.mjs', import.meta.url))
    this.child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.#pipe = this.child.stdio[3] as Duplex
    this.#pipe.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.#pipe.on('error', () => {})
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text
      })
    this.child.once('close', () => {
      this.hasExited = true
      this.#wake()
    })
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    this.#lines.push(...lines)
    this.#wake()
  }

  /** The next line; undefined when the process has ended without it. */
  async line(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.hasExited) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.#lines.shift()
  }

  ask(payload: Uint8Array): Promise<string | undefined> {
    this.#pipe.write(`${Buffer.from(payload).toString('base64')}\n`)
    return this.line()
  }

  async end(): Promise<void> {
    if (this.hasExited) return
    this.child.kill('SIGKILL')
    await once(this.child, 'close')
  }
}

/** A platform like those of clouds, of processes on this machine: one reply at the end, and the rest in its log. */
export class CloudPlatform implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'platform'
  readonly kind = 'faas'
  readonly capabilities = {
    synchronousReply: true,
    streamsReplies: false,
    maxPayloadBytes: MAX_BYTES,
    maxReplyBytes: MAX_BYTES,
    maxTimeoutMs: Number.POSITIVE_INFINITY,
    maxActivations: 3,
    callsAtOnce: 1,
    sharesFileSystem: false,
    killsBusyCalls: true,
    freshWorkers: false,
    workersOutliveClient: false,
    placesSecrets: true,
  } as const
  readonly defaultRuntime: RuntimeSpec = { name: 'default' }
  /** Logs of environments that have ended, and of those that are there. */
  readonly environments: Environment[] = []
  #idle: Environment[] = []
  #isDeployed = false
  #secrets = new Map<string, unknown>()
  #closed: InvocationError | undefined

  async deployRuntime(_: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    for (const secret of options.secrets ?? []) this.#secrets.set(secret.storageId, secret)
    await Promise.all(this.#idle.splice(0).map(environment => environment.end()))
    this.#isDeployed = true
    const environment = this.#start()
    const metadata = JSON.parse((await environment.line()) as string) as RuntimeMetadata
    this.#idle.push(environment)
    return metadata
  }

  #start(): Environment {
    const secrets = encodeSecrets([...this.#secrets.values()] as never)
    const environment = new Environment({ [SECRETS_ENVIRONMENT_NAME]: secrets })
    this.environments.push(environment)
    return environment
  }

  async listRuntimes() {
    return this.#isDeployed ? [{ name: 'default', version: '0', workerName: 'environment' }] : []
  }

  async deleteRuntime(): Promise<void> {
    this.#isDeployed = false
    await Promise.all(this.#idle.splice(0).map(environment => environment.end()))
  }

  async invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<ActivationReport> {
    if (this.#closed !== undefined) throw this.#closed
    signal?.throwIfAborted()
    let environment = this.#idle.pop()
    if (environment === undefined) {
      environment = this.#start()
      await environment.line()
    }
    const worker = environment
    const end = () => void worker.end()
    signal?.addEventListener('abort', end)
    const reply = await worker.ask(activation.payload)
    signal?.removeEventListener('abort', end)
    signal?.throwIfAborted()
    if (this.#closed !== undefined) throw this.#closed
    if (reply === undefined) throw endOf(worker)
    onReply(Buffer.from(reply, 'base64'))
    this.#idle.push(worker)
    return { requestId: `${worker.child.pid}` }
  }

  async clean({ dryRun = false } = {}): Promise<readonly string[]> {
    const names = this.#isDeployed ? ['environment'] : []
    if (!dryRun) await this.deleteRuntime()
    return names
  }

  async close(): Promise<void> {
    this.#closed ??= new InvocationError('closed', { code: 'LITHOPS_CLOSED', isRetryable: false })
    await Promise.all(this.environments.map(environment => environment.end()))
  }
}

function endOf({ log, child }: Environment): Error {
  if (log.includes(TIMEOUT_MARK)) return new CallTimeoutError(log.slice(log.indexOf(TIMEOUT_MARK)))
  return new WorkerLostError(`The worker ended with ${child.exitCode ?? child.signalCode}.`, {
    details: { output: log },
  })
}
