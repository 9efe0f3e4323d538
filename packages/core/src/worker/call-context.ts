import { setMaxListeners } from 'node:events'
import type { RabbitChannel } from '../driver/rabbit-channel.ts'
import { NotSupportedError, WorkerLostError } from '../errors/index.ts'
import type { Storage } from '../storage/storage.ts'
import type { JobHead } from './protocol.ts'

/** Writes lines to the call's log; they arrive in `future.logs`. */
export interface CallLogger {
  debug(...parts: unknown[]): void
  info(...parts: unknown[]): void
  warn(...parts: unknown[]): void
  error(...parts: unknown[]): void
}

/** What a user's function gets after its item and extra arguments. */
export interface CallContext {
  /** Position of the item in its job, from 0. */
  readonly callId: number
  readonly executorId: string
  readonly jobId: string
  /** 0 at the first run of this call, 1 when it is run again, and so on. */
  readonly attempt: number
  /** When the call will be ended by force, in milliseconds since 1970; Infinity when never. */
  readonly deadlineMs: number
  /** Aborted when the deadline is reached, so that the function can stop what it does. */
  readonly signal: AbortSignal
  /** The job's storage. Throws NotSupportedError when the job has none. */
  readonly storage: Storage
  /**
   * With `monitoring: rabbitmq`, a connected confirm channel of the job's broker, for messages of the function's own. It
   * is opened by the first who asks, shared by the calls of the worker, and closed with it. Throws NotSupportedError when
   * the job has another monitor.
   */
  readonly rabbitmq: Promise<RabbitChannel>
  readonly logger: CallLogger
}

/** What a call opens when its function asks for it. */
export interface CallServices {
  readonly storage: (head: JobHead, name?: string) => Storage
  readonly channel: (() => Promise<RabbitChannel>) | undefined
  /** Takes what the call writes. */
  readonly log: (call: RunningCall, stream: number, text: string) => void
}

/** Where every copy of core in a worker finds the call whose code is running. */
export const CALL_OF_CODE = Symbol.for('lithops.call-of-code')

/** The context of one call. What few functions ask for is made when asked. */
export class RunningCall implements CallContext {
  readonly callId: number
  readonly attempt: number
  readonly startedMs: number
  readonly #head: JobHead
  readonly #open: CallServices
  #storage: Storage | undefined
  #abort: AbortController | undefined
  #fail: ((error: unknown) => void) | undefined
  #ending: WorkerLostError | undefined
  logBytes = 0

  constructor(head: JobHead, callId: number, attempt: number, startedMs: number, open: CallServices) {
    this.#head = head
    this.callId = callId
    this.attempt = attempt
    this.startedMs = startedMs
    this.#open = open
  }

  get executorId(): string {
    return this.#head.executorId
  }

  get jobId(): string {
    return this.#head.jobId
  }

  get deadlineMs(): number {
    return this.startedMs + (this.#head.timeoutMs ?? Number.POSITIVE_INFINITY)
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      setMaxListeners(0, this.#abort.signal) // a function may wait for many things at the same time
    }
    return this.#abort.signal
  }

  get storage(): Storage {
    this.#storage ??= this.openStorage()
    return this.#storage
  }

  /** The job's storage; with a name, one of the further storages that its inputs lie in. */
  openStorage(name?: string): Storage {
    const storage = this.#open.storage(this.#head, name)
    // what is put into another storage than the job's own is not found when the executor cleans up
    if (name !== undefined) return storage
    const { executorId, jobId, callId, attempt } = this
    return storage.ownedBy({ executorId, jobId, callId, attempt })
  }

  get rabbitmq(): Promise<RabbitChannel> {
    if (this.#open.channel !== undefined) return this.#open.channel()
    throw new NotSupportedError(
      'This job has no RabbitMQ: its results come another way. Set monitoring: rabbitmq in the config to use context.rabbitmq.',
    )
  }

  get logger(): CallLogger {
    return console
  }

  /** Variables of the environment that the job gives its calls. */
  get extraEnv(): Readonly<Record<string, string>> {
    return this.#head.extraEnv ?? {}
  }

  /** Time limit in milliseconds; undefined for none. */
  get timeoutMs(): number | undefined {
    return this.#head.timeoutMs
  }

  /** Adds to the call's log. */
  log(stream: number, text: string): void {
    this.#open.log(this, stream, text)
  }

  /** Aborts the function's signal; one that is asked for later is aborted already. */
  abort(reason: unknown): void {
    this.#abort ??= new AbortController()
    this.#abort.abort(reason)
  }

  /** The function has asked for the end of its process, which others share: this call ends with the error returned. */
  endProcess(code: unknown): WorkerLostError {
    this.#ending ??= new WorkerLostError(
      `The function ended its process with exit code ${String(code ?? process.exitCode ?? 0)}.`,
    )
    this.escaped(this.#ending)
    return this.#ending
  }

  /** What `endProcess` has returned; undefined when it was not called. */
  get ending(): WorkerLostError | undefined {
    return this.#ending
  }

  /** What to call with an error that escaped the function: an uncaught exception or rejection of this call. */
  onEscapedError(fail: ((error: unknown) => void) | undefined): void {
    this.#fail = fail
  }

  /** Ends the call with an error that escaped it; false when the call is not waiting for anything any more. */
  escaped(error: unknown): boolean {
    if (this.#fail === undefined) return false
    this.#fail(error)
    return true
  }
}
