export { blockOf, CALLS_PER_BLOCK, type PublishedCalls } from '../driver/monitor.ts'
export { InternalStorage } from '../storage/internal-storage.ts'
export { Storage } from '../storage/storage.ts'
export type { CallContext, CallLogger } from './call-context.ts'
export type { ModuleFactory } from './instantiate.ts'
export {
  type JobHead,
  type Location,
  PROTOCOL_VERSION,
  type StorageHead,
  type WorkerFacts,
} from './protocol.ts'
export { ActivationRunner, callOfCode } from './run-activation.ts'
export {
  decodeSecrets,
  encodeSecrets,
  SECRETS_ENVIRONMENT_NAME,
  takeSecretsFromEnvironment,
} from './secrets-environment.ts'
export { createStoragePublisher, type StoragePublisherAddress } from './storage-publisher.ts'
export type { WorkerHost } from './worker-host.ts'
export { WorkerStorages, type WorkerStoragesOptions } from './worker-storages.ts'
