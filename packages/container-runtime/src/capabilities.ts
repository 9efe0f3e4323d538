import { type ComputeCapabilities, withinOpenFiles } from '@lithops/core/driver'

/** Of one activation of a batch: what is larger goes through the job's storage, and a thousand of those, which are much alike, are packed into little. */
const BATCH_PAYLOAD_BYTES = 32 * 1024
/** Activations that wait for a batch while as many run: the next run is full when it begins. */
const WAITING_SHARE = 2

export interface ContainerSettings {
  /** Instances at once. */
  readonly maxWorkers: number
  readonly timeoutMs: number
  /** Functions are put into images (`runtime_include_function`). */
  readonly includesFunctions: boolean
}

/** What backends can do that run each activation as an instance of an array of jobs, by `Batches`. */
export function batchCapabilities(settings: ContainerSettings): ComputeCapabilities {
  return {
    ...common(settings),
    synchronousReply: false,
    streamsReplies: false,
    maxPayloadBytes: BATCH_PAYLOAD_BYTES,
    maxActivations: settings.maxWorkers * WAITING_SHARE,
    freshWorkers: true,
  }
}

export interface RequestSettings extends ContainerSettings {
  /** Of one activation; infinity where the platform has no limit. */
  readonly maxPayloadBytes: number
  readonly workerProcesses: number
  /** Activations at once in a process. */
  readonly concurrency: number
}

/** What backends can do whose workers answer requests, by `WorkerConnections`. */
export function requestCapabilities(settings: RequestSettings): ComputeCapabilities {
  const { maxWorkers, workerProcesses, concurrency, maxPayloadBytes } = settings
  return {
    ...common(settings),
    synchronousReply: true,
    streamsReplies: true,
    maxPayloadBytes,
    // each that is awaited holds a connection
    maxActivations: withinOpenFiles(maxWorkers * workerProcesses * concurrency),
    activationsPerWorker: concurrency,
    freshWorkers: false,
  }
}

function common({ timeoutMs, includesFunctions }: ContainerSettings) {
  return {
    maxReplyBytes: Number.POSITIVE_INFINITY,
    maxTimeoutMs: timeoutMs,
    callsAtOnce: 1,
    sharesFileSystem: false,
    killsBusyCalls: true,
    workersOutliveClient: true,
    placesSecrets: true,
    bringsPackages: true,
    bakesFunctions: includesFunctions,
  }
}
