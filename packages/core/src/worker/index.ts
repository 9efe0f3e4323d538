export {
  ancestorsOf,
  blockOf,
  CALLS_PER_BLOCK,
  type JobKey,
  type PublishedCalls,
  type PublisherAddress,
  type PublisherContext,
  type PublisherDriver,
  type PublisherLimit,
  type StatusPublisher,
} from '../driver/monitor.ts'
export type { RabbitChannel, RabbitMessageOptions } from '../driver/rabbit-channel.ts'
export {
  decodeSecrets,
  encodeSecrets,
  SECRETS_ENVIRONMENT_NAME,
  takeSecretsFromEnvironment,
} from '../driver/secrets-environment.ts'
export type { StorageRequests } from '../driver/storage-backend.ts'
export { TIMEOUT_MARK } from '../driver/worker-marks.ts'
export { MonitorError, NotSupportedError } from '../errors/index.ts'
export { InternalStorage } from '../storage/internal-storage.ts'
export { Storage } from '../storage/storage.ts'
export type { CallContext, CallLogger } from './call-context.ts'
export { type Circumstances, CloudWorker, type CloudWorkerOptions } from './cloud-worker.ts'
export type { ModuleFactory } from './instantiate.ts'
export {
  type JobHead,
  type Location,
  PROTOCOL_VERSION,
  type PublisherHead,
  type StorageHead,
  type WorkerFacts,
} from './protocol.ts'
export type { RequestsByStorage } from './reply-frames.ts'
export { ActivationRunner, callOfCode } from './run-activation.ts'
export { createStoragePublisher, type StoragePublisherAddress } from './storage-publisher.ts'
export type { WorkerHost } from './worker-host.ts'
export { WorkerMonitors, type WorkerMonitorsOptions } from './worker-monitors.ts'
export { WorkerStorages, type WorkerStoragesOptions } from './worker-storages.ts'
