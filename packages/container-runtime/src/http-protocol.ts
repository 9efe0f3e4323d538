// What is said between a client and a worker over HTTP, beside activation messages and reply frames: "Over HTTP" of
// docs/protocol.md. Both halves import this file, and it imports nothing.

/** Every answer of a worker has it, with the version of the protocol. */
export const WORKER_HEADER = 'lithops-worker'
/** The longest silence of an answer in milliseconds, as the client wants it. */
export const HEARTBEAT_HEADER = 'lithops-heartbeat-ms'
/** What becomes of the calls when the connection is closed before the end of the answer. */
export const DISCONNECT_HEADER = 'lithops-on-disconnect'

/** What a worker with an access key asks for in every request: without it, or with another, it answers 401. */
export const ACCESS_HEADER = 'lithops-access-key'
/** Variable of a worker that says its access key: for platforms that let everybody reach it. */
export const ACCESS_KEY_VARIABLE = 'LITHOPS_ACCESS_KEY'

/** Proxies cut silent connections after a minute, as a rule: there is room for some that are late. */
export const DEFAULT_HEARTBEAT_MS = 10_000
export const MIN_HEARTBEAT_MS = 100
/** Largest activation message that a worker takes. */
export const MAX_MESSAGE_BYTES = 512 * 1024 * 1024

/** Every frame begins with u8 type and u32 length. */
export const FRAME_HEAD_BYTES = 5
/** Types of frames of the connection alone, among those of the reply. */
export const HttpFrame = { heartbeat: 6, end: 7 } as const

/** Kinds of errors that a worker tells of a whole activation, and the statuses of those that come before its answer. */
export const ERROR_STATUS = {
  protocol: 400,
  too_large: 413,
  ending: 503,
  timeout: undefined,
  memory: undefined,
  lost: undefined,
} as const

/** Why an activation did not end in order. */
export interface ActivationError {
  readonly kind: keyof typeof ERROR_STATUS
  /** For people, with what to do next where there is something. */
  readonly message: string
  /** Calls whose ends were not told may have run. */
  readonly mayHaveRun: boolean
  /** Plain JSON. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** JSON of the end frame. */
export interface ActivationEnd {
  /** Milliseconds from the arrival of the message until the end. */
  readonly ranMs: number
  readonly error?: ActivationError
}

/** JSON of `GET /`. */
export interface WorkerState {
  readonly state: 'starting' | 'ready' | 'ending'
  readonly protocolVersion: number
  readonly lithopsVersion?: string
  readonly nodeVersion?: string
  readonly platform?: string
  readonly arch?: string
  readonly workerProcesses?: number
  readonly concurrency?: number
  readonly functions?: readonly string[]
}
