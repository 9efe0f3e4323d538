import type { PublisherAddress } from '../driver/monitor.ts'

/** Version of the wire format of docs/protocol.md. Client and runtime must agree on it. */
export const PROTOCOL_VERSION = 1

/** 'L', 'T', version: how every activation message begins. */
export const MAGIC = [0x4c, 0x54] as const

/** Where a function bundle, its captured values or a call's input is found. */
export type Location =
  /** In the message itself. */
  | { readonly kind: 'inline' }
  /** A file that the worker sees (ComputeCapabilities.sharesFileSystem), or of its runtime (bakesFunctions): then a relative path. */
  | { readonly kind: 'file'; readonly path: string }
  /** An object, or the bytes from `start` up to, not including, `end` of it. */
  | ObjectLocation

/** An object in the job's storage, or in the one of `JobHead.storages` that it names, or a piece of it. */
export interface ObjectLocation {
  readonly kind: 'object'
  readonly bucket: string
  readonly key: string
  readonly storage?: string
  /** The bytes from here up to, not including, `end`; absent for all of them. */
  readonly start?: number
  readonly end?: number
  /** The value there holds instances of classes, which only functions that captured the classes can read. */
  readonly hasClasses?: true
}

/**
 * A storage as workers are told of it. Never a secret: a worker opens it with `config` and the secrets that were
 * placed for `secretsId`, which `WorkerStorages` does.
 */
export interface StorageHead {
  /** Config name of its driver, e.g. 'aws_s3'. */
  readonly name: string
  /** The bucket of operations that name none. */
  readonly bucket: string
  /** `workerConfig()` of the client's storage. */
  readonly config: Readonly<Record<string, unknown>>
  /** File of its driver, where the worker shares this machine's files. */
  readonly module?: string
  /** `WorkerSecrets.storageId` of what it needs besides; absent where it has no secrets. */
  readonly secretsId?: string
}

/**
 * The worker's half of a job's monitor as workers are told of it: the address that the client's half gave, and what core
 * puts beside it. Never a secret: `WorkerMonitors` opens it with those that were placed for `secretsId`.
 */
export interface PublisherHead {
  readonly kind: string
  /** File of the worker's half, where the worker shares this machine's files. */
  readonly module?: string
  /** `WorkerSecrets.storageId` of what it needs besides; absent where it has no secrets. */
  readonly secretsId?: string
  /** Where to publish instead when this way home is broken for good: an address of kind 'storage'. */
  readonly fallback?: PublisherAddress
  readonly [field: string]: unknown
}

/** What all activations of a job have in common; JSON at the head of each of them. */
export interface JobHead {
  readonly lithopsVersion: string
  readonly executorId: string
  readonly jobId: string
  readonly function: {
    readonly name: string
    /** Hash of the module; workers keep imported modules by it. */
    readonly hash: string
    readonly code: Location
    readonly env: Location
    /** Native functions get their item alone. */
    readonly isNative: boolean
  }
  /** Where the extra arguments lie; absent when they are in the message. */
  readonly extraArgs?: Location
  /** Results of more bytes go to the job's storage; 0: all of them. Absent: only what the reply cannot carry. */
  readonly inlineResultBytes?: number
  /** What the platform takes as the reply of one activation, in bytes; absent where there is no limit. */
  readonly maxReplyBytes?: number
  /** Per call, in milliseconds; absent for none. */
  readonly timeoutMs?: number
  readonly extraEnv?: Readonly<Record<string, string>>
  /** Bytes of log text kept per call. */
  readonly maxLogBytes: number
  /** Where the results go besides the reply; absent for the direct way home. */
  readonly publisher?: PublisherHead
  /** The job's storage: `ctx.storage`, large inputs and results. */
  readonly storage?: StorageHead
  /**
   * Further storages that the job's inputs lie in, by names that the client gave them for this job alone. Workers open
   * all of them before the job's function is loaded; `WorkerHost.openStorage(head, name)` gives one.
   */
  readonly storages?: Readonly<Record<string, StorageHead>>
  /** An object in `storage` that is there as long as somebody wants what workers write. */
  readonly clientMark?: string
}

/** How a call's input lies in the message. */
export const InputKind = {
  /** An encoded value. */
  value: 0,
  /** JSON of a Location: the encoded value lies there. */
  reference: 1,
  /** A list of inputs, which the function gets as one array: u32 count, then kind, length and bytes of each. */
  list: 2,
  /** JSON of a Location: a list of inputs lies there. */
  listReference: 3,
  /** JSON of a PieceDescriptor (piece/descriptor.ts): the function gets an ObjectPiece. */
  piece: 4,
} as const

/** Types of reply frames: u8 type, u32 length, payload. */
export const FrameType = {
  started: 1,
  ended: 2,
  log: 3,
  handedBack: 4,
  worker: 5,
  storageRequests: 6,
} as const

/** How a call ended. */
export const Outcome = {
  value: 0,
  error: 1,
  /** The worker itself gave up the call at its timeout. */
  timeout: 2,
  /** JSON of a Location: the encoded value lies there. */
  reference: 3,
} as const

/** What a worker process says of itself, once per activation. */
export interface WorkerFacts {
  readonly workerId: string
  readonly nodeVersion: string
  readonly lithopsVersion: string
  /** This activation is the worker's first. */
  readonly coldStart: boolean
  /** Milliseconds from the start of the process until it could take calls. */
  readonly initMs: number
}
