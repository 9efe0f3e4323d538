import { type ComputeCapabilities, withinOpenFiles } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import { REQUEST_BYTES } from './limits.ts'

/** Head of a request: path, headers, and the token among them. */
const HEAD_BYTES = 64 * 1024
/** Of one activation of a job: what is larger goes through the job's storage, and those of a batch, which are much alike, fit into variables. */
const BATCH_PAYLOAD_BYTES = 32 * 1024
/** Activations of jobs that wait here while as many run: the next execution is full when it begins. */
const WAITING_SHARE = 2

/** What services, or jobs, of these settings can do. */
export function capabilitiesOf(settings: CloudRunSettings): ComputeCapabilities {
  const { maxWorkers, workerProcesses, concurrency, timeoutMs, workload } = settings
  const all = {
    maxReplyBytes: Number.POSITIVE_INFINITY,
    maxTimeoutMs: timeoutMs,
    callsAtOnce: 1,
    sharesFileSystem: false,
    killsBusyCalls: true,
    workersOutliveClient: true,
    placesSecrets: true,
    bringsPackages: true,
    bakesFunctions: settings.includesFunctions,
  }
  if (workload === 'jobs')
    return {
      ...all,
      synchronousReply: false,
      streamsReplies: false,
      maxPayloadBytes: BATCH_PAYLOAD_BYTES,
      maxActivations: maxWorkers * WAITING_SHARE,
      freshWorkers: true,
    }
  return {
    ...all,
    synchronousReply: true,
    streamsReplies: true,
    maxPayloadBytes: REQUEST_BYTES - HEAD_BYTES,
    // each that is awaited holds a connection
    maxActivations: withinOpenFiles(maxWorkers * workerProcesses * concurrency),
    activationsPerWorker: concurrency,
    freshWorkers: false,
  }
}
