/** Version of the ComputeBackend contract. Core refuses a driver of another version by name. */
export const COMPUTE_SPEC_VERSION = 1

/** What a backend can do. Core and the conformance kit read it; there are no other switches. */
export interface ComputeCapabilities {
  /** `invoke` resolves after the calls have ended and has handed their results to `onReply`. */
  readonly synchronousReply: boolean
  /** `onReply` is called while the activation still runs, as soon as there is something to tell. */
  readonly streamsReplies: boolean
  /** Largest activation payload in bytes that the platform takes. Infinity where there is no limit. */
  readonly maxPayloadBytes: number
  /** Largest reply in bytes of one activation. Infinity where there is no limit. */
  readonly maxReplyBytes: number
  /** Longest time in milliseconds an activation may take. Infinity where there is no limit. */
  readonly maxTimeoutMs: number
  /** How many activations the backend takes at once. Core never has more of them under way. */
  readonly maxActivations: number
  /**
   * Activations beyond `maxActivations` that core may hand over early when calls are quick; the backend keeps them and
   * starts them the moment a worker is free. Absent: 0.
   */
  readonly prefetch?: number
  /**
   * Core chooses how many calls an activation carries by their measured time, unless the user sets `chunksize`. Needs
   * `streamsReplies`. Absent: one call, or the config's `chunksize`.
   */
  readonly adaptiveChunks?: boolean
  /** How many calls of one activation a worker runs at the same time. */
  readonly callsAtOnce: number
  /**
   * How many activations one worker process runs at the same time, each as if it were alone (`CloudWorkerOptions.concurrency`).
   * Absent: 1.
   */
  readonly activationsPerWorker?: number
  /** Workers see this machine's files, so functions and large data may be passed by path. */
  readonly sharesFileSystem: boolean
  /** Ends a call that is over its timeout even if it never returns to the event loop. */
  readonly killsBusyCalls: boolean
  /** Can give every activation a worker process of its own (`isolation: 'call'`). */
  readonly freshWorkers: boolean
  /**
   * Longest time in milliseconds from the acceptance of an activation until a worker begins it, on a platform that does
   * not reply (`synchronousReply` false). Calls that are silent for so long beyond their time limit count as lost.
   * Absent: a minute for 'faas', ten for 'batch'.
   */
  readonly maxStartDelayMs?: number
  /**
   * `invoke` listens to `cancellation` where it is given one, so that core need not make a signal for each of thousands of
   * activations in a second. Absent: false.
   */
  readonly takesCancellations?: boolean
  /**
   * Longest pause in milliseconds after which a platform that does not reply, and has room for an activation that it has
   * taken, begins it. Calls that are silent for longer, while the job has fewer activations running than before and none
   * begins, are sent again without being charged: their worker was lost before its first word. What is sent again is waited
   * for twice as long each time. Absent: only `maxStartDelayMs` counts.
   */
  readonly restartAfterMs?: number
  /** false: workers end with the program that sent them their calls, as on this machine. Absent: true. */
  readonly workersOutliveClient?: boolean
  /**
   * `deployRuntime` places the `secrets` that it is given. Absent: false; core then refuses jobs whose storage or monitor
   * has secrets that workers need.
   */
  readonly placesSecrets?: boolean
  /**
   * `deployRuntime` gives workers the `packages` of a runtime, for their platform (`PlatformPackages` fetches them).
   * Absent: false; core then refuses functions that import packages with native addons.
   */
  readonly bringsPackages?: boolean
  /**
   * `deployRuntime` puts the `functions` of a runtime where its workers find them, so that activations carry no code. Absent:
   * false; code travels with activations, or through storage.
   */
  readonly bakesFunctions?: boolean
}

/** A runtime: the deployed environment that workers run in. */
export interface RuntimeSpec {
  /** Name as in the config, e.g. 'default' or an image reference. */
  readonly name: string
  /** Memory of one worker in MiB; undefined leaves it to the backend's default. */
  readonly memoryMiB?: number
  /** Time limit of one activation in milliseconds; undefined leaves it to the backend's default. */
  readonly timeoutMs?: number
  /**
   * Packages with native addons that the functions of its jobs import; only given where `capabilities.bringsPackages`.
   * A runtime with other packages is another runtime. Absent: none.
   */
  readonly packages?: readonly NativePackage[]
  /**
   * Functions that its jobs run; only given where `capabilities.bakesFunctions`. A runtime with other functions is another
   * runtime; `hash` tells them apart without reading them. Absent: none.
   */
  readonly functions?: readonly RuntimeFunction[]
}

/** The code of a function, for a runtime that has it before its jobs come: `CloudWorkerOptions.functionFolder`. */
export interface RuntimeFunction {
  /** Its own name, for people. */
  readonly name: string
  /** 32 hexadecimal digits; the same content always has the same. */
  readonly hash: string
  /** An ES module in one file, which imports nothing but Node and packages with native addons. */
  readonly read: () => Promise<Uint8Array>
}

/** Exact versions by name, and what each of them needs in turn. */
export interface InstalledVersions {
  readonly [name: string]: { readonly version: string; readonly dependencies?: InstalledVersions }
}

/** A package of the npm registry that has, or fetches, binaries for each platform, as it is installed on this machine. */
export interface NativePackage {
  readonly name: string
  readonly version: string
  /** Where it is installed here. */
  readonly folder: string
  readonly dependencies: InstalledVersions
}

/** What a deployed runtime says of itself. */
export interface RuntimeMetadata {
  readonly lithopsVersion: string
  readonly protocolVersion: number
  readonly nodeVersion: string
  readonly platform: string
  readonly arch: string
  /** Packages that the runtime brings, by name and version. */
  readonly preinstalledModules?: Readonly<Record<string, string>>
  /** Hashes of the functions that it brings (`CloudWorkerOptions.functionFolder`). Absent: none. */
  readonly functions?: readonly string[]
}

/** A line of `lithops runtime list`. */
export interface RuntimeListing {
  readonly name: string
  readonly memoryMiB?: number
  readonly version: string
  /** The name under which the platform knows it. */
  readonly workerName: string
  /** Names of functions of the user's that it has. Absent: none, or none that are known. */
  readonly functions?: readonly string[]
  /**
   * What else may tell it from others of the same name and memory, for people: what it is called, and its value with its unit, such as
   * `{ timeout: '60 s', image: '4ac36b6e8ad1' }`. Absent: nothing is known.
   */
  readonly details?: Readonly<Record<string, string>>
}

export interface RuntimeBuild {
  readonly name: string
  /** Path of a Dockerfile or recipe; undefined builds the backend's default runtime. */
  readonly file?: string
  readonly extraArgs?: readonly string[]
}

/** Functions to be put into a runtime for good, so that jobs that name it find them there. */
export interface RuntimeExtension {
  /** Name of the runtime to start from, as in the config. */
  readonly base: string
  readonly functions: readonly RuntimeFunction[]
}

/** A runtime that has functions of the user's. */
export interface ExtendedRuntime {
  /** Its name for configs. The same content of base and functions always has the same. */
  readonly name: string
  /** false: it was there already, and nothing was built. */
  readonly isBuilt: boolean
  /** Functions that `deployRuntime` must be given to make it ready for the first time. Absent: none. */
  readonly functions?: readonly RuntimeFunction[]
}

/** One invocation of a worker; it carries one or more calls of one job. */
export interface Activation {
  /** Unique within this client. Idempotency key where the platform has such a thing. */
  readonly id: string
  readonly executorId: string
  readonly jobId: string
  readonly runtime: RuntimeSpec
  /** The activation message of docs/protocol.md. The worker half hands it to core's worker unread. */
  readonly payload: Uint8Array
  readonly callIds: readonly number[]
  /** Time limit of each call in milliseconds; Infinity when there is none. */
  readonly callTimeoutMs: number
  /**
   * The results come by a monitor: the reply is not awaited, and a platform that has both ways may be content with
   * accepting the activation (`ActivationReport.isOnlyAccepted`). Absent: false.
   */
  readonly repliesElsewhere?: boolean
  /** Asks for a worker process that no other activation has used or will use. */
  readonly freshWorker: boolean
}

/** What workers need to open one storage, or one monitor, and what must never be in an activation, an argument or a log. */
export interface WorkerSecrets {
  /** The storage or monitor that it is for; the same in every job that uses it. Letters, digits, '_' and '-'. */
  readonly storageId: string
  /** Config name of it. A backend leaves out those that its workers' own identity opens anyway. */
  readonly storageName: string
  /** By the names of fields of its section. */
  readonly values: Readonly<Record<string, string>>
}

/** A driver that workers need, as a file of this machine. A backend whose workers do not see it brings it along. */
export interface WorkerDriver {
  /** 'storage': the module exports `storage`, a StorageDriver; 'monitor': it exports `publisher`, a PublisherDriver. */
  readonly kind: 'storage' | 'monitor'
  /** Config name, e.g. 'aws_s3'. */
  readonly name: string
  /** Absolute path. Bundled, with what it imports, into the runtime. */
  readonly module: string
}

export interface DeployOptions {
  readonly signal?: AbortSignal
  /**
   * Drivers that workers cannot load from this machine; only given where `capabilities.sharesFileSystem` is false. A runtime
   * that was deployed with other drivers is another runtime; activations go to the one that was deployed last.
   */
  readonly drivers?: readonly WorkerDriver[]
  /** Creates the role that workers have on the platform, where the config names none. Default: false. */
  readonly createRole?: boolean
  /**
   * Secrets to place in the platform's secret or environment mechanism before the runtime takes activations; only
   * given where `capabilities.placesSecrets`. A runtime that is deployed already with other values is brought up to
   * date; those of other storages that were placed before stay. A worker gives them to core's `WorkerStorages` and `WorkerMonitors`.
   */
  readonly secrets?: readonly WorkerSecrets[]
}

export interface DeleteOptions {
  readonly signal?: AbortSignal
  /** Only what the platform knows by this name, of all that is deployed of the runtime. Default: all of it. */
  readonly workerName?: string
  /** It is deployed again at once: what `extendRuntime` has made under the name stays. Default: false. */
  readonly isReplaced?: boolean
}

/** That nobody waits for an activation any more: what an AbortSignal says, for one listener and at a fraction of its cost. */
export interface Cancellation {
  readonly isRequested: boolean
  /** Why; undefined before. */
  readonly reason: unknown
  /** Called once, when it is requested; not when it has been already. */
  listener: ((reason: unknown) => void) | undefined
}

export interface InvokeOptions {
  /** Aborted when nobody waits for the activation any more. Stop it where the platform can, and reject. */
  readonly signal?: AbortSignal
  /** In place of `signal` where `capabilities.takesCancellations`. */
  readonly cancellation?: Cancellation
  /** Takes whole reply frames of docs/protocol.md, in order, any number per call of this function. */
  readonly onReply: (frames: Uint8Array) => void
}

/** What the platform said about an activation that it finished. */
export interface ActivationReport {
  /** The platform's id of the request, for logs. */
  readonly requestId?: string
  /** Milliseconds that the platform bills, where it tells. */
  readonly billedMs?: number
  /** The activation was accepted and has not ended; its calls are told by a monitor. Default: false. */
  readonly isOnlyAccepted?: boolean
}

/** Whose log lines are wanted: of one request, or of all of a job. */
export interface LogQuery {
  /** `ActivationReport.requestId`. */
  readonly requestId?: string
  /** Key of a job, such as 'a1b2c3-0-M000'. */
  readonly jobKey?: string
  /** Only what was written from then on, in milliseconds since 1970. Default: as far back as the platform keeps it. */
  readonly sinceMs?: number
  readonly signal?: AbortSignal
}

/** What somebody must be allowed on the platform, in its own language. */
export interface PlatformPolicy {
  /** Who needs it, e.g. 'deployer' or 'worker'. */
  readonly name: string
  /** For people: when it is needed. */
  readonly purpose: string
  /** As the platform takes it; plain JSON. */
  readonly document: unknown
}

/** What ran, for its cost. */
export interface RunUsage {
  /** Milliseconds that were billed, of all activations together. */
  readonly durationMs: number
  readonly memoryMiB: number
  readonly requests: number
}

export interface CleanOptions {
  /** Only tell what would be removed. Default: false. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

/**
 * A driver for one compute service. Core is the only caller. Core splits jobs, retries, limits concurrency,
 * validates options, encodes and decodes; a backend only talks to its platform and translates errors.
 *
 * A backend throws core's error classes: InvocationError with `isRetryable` and `mayHaveRun` when the platform
 * refused or lost an activation; CallTimeoutError, CallOutOfMemoryError or WorkerLostError, with the call's id in
 * `callId` where it is known, when the worker broke during a call. Calls of the activation that `onReply` has not
 * reported as ended are taken as not finished.
 */
export interface ComputeBackend {
  readonly specVersion: typeof COMPUTE_SPEC_VERSION
  /** Config name, e.g. 'aws_lambda'. */
  readonly name: string
  /** 'faas': one `invoke` per activation; 'batch': the platform is given many at once and answers later. */
  readonly kind: 'faas' | 'batch'
  readonly capabilities: ComputeCapabilities
  /** The runtime used when the user names none. Does no I/O. */
  readonly defaultRuntime: RuntimeSpec

  /** Builds a custom runtime. Absent: `lithops runtime build` says that the backend has no such thing. */
  buildRuntime?(build: RuntimeBuild, options: { readonly signal?: AbortSignal }): Promise<void>
  /**
   * Makes a runtime of another one that has these functions as well, and gives it a name by its content. Called by
   * `lithops runtime extend`, by any number of clients at once; cheap when it is there already. Core deploys it afterwards.
   * Throws RuntimeDeployError where there is no runtime `base`, RuntimeBuildError where it cannot be built or pushed.
   * Absent: `lithops runtime extend` says that the backend has no such thing.
   */
  extendRuntime?(
    extension: RuntimeExtension,
    options: { readonly signal?: AbortSignal },
  ): Promise<ExtendedRuntime>
  /**
   * Makes the runtime ready and returns what it reported of itself. Called before the first activation of each
   * runtime and of each set of secrets, by any number of clients at once; cheap when it is deployed already. May be
   * called again.
   */
  deployRuntime(runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata>
  /** Runtimes of this user that are deployed; empty when there are none. */
  listRuntimes(options?: { readonly signal?: AbortSignal }): Promise<readonly RuntimeListing[]>
  /**
   * Removes one runtime, with what was made for it alone: also what `extendRuntime` has made under that name, and never what the user
   * has built. Removing what is not there is not an error.
   */
  deleteRuntime(runtime: RuntimeSpec, options?: DeleteOptions): Promise<void>

  /**
   * Runs one activation. Resolves when it ended (synchronousReply) or was accepted. Never retries by itself.
   * After `close()` it rejects with InvocationError, code LITHOPS_CLOSED.
   */
  invoke(activation: Activation, options: InvokeOptions): Promise<ActivationReport>

  /** A hint that activations for so many workers come soon: start what is slow to start. Must not throw. Optional. */
  prepare?(runtime: RuntimeSpec, workers?: number): void
  /** What workers wrote into the platform's own log; empty when there is nothing. Absent: there is no such log. */
  logs?(query: LogQuery): Promise<string>
  /** Cost in USD; undefined when it is not known, as in a region without prices. Absent: it never is. */
  costOf?(usage: RunUsage): number | undefined
  /** The least that deployer and workers must be allowed. Does no I/O. Absent: the platform has no such thing. */
  policies?(): readonly PlatformPolicy[]

  /** Removes everything this tool deployed or left on the platform for this user. Returns the names of it. */
  clean(options?: CleanOptions): Promise<readonly string[]>
  /** Ends activations under way and frees connections and processes. May be called twice. */
  close(): Promise<void>
}
