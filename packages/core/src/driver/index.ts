export { type ConfigField, type ConfigSchema, defineConfigSection, field } from '../config/section.ts'
export {
  CallCancelledError,
  CallError,
  CallOutOfMemoryError,
  CallTimeoutError,
  ConfigError,
  DriverContractError,
  DriverNotFoundError,
  InvocationError,
  type InvocationErrorOptions,
  LithopsError,
  MonitorError,
  NotSupportedError,
  ObjectNotFoundError,
  ProtocolError,
  RuntimeBuildError,
  RuntimeDeployError,
  SerializationError,
  StorageAccessError,
  StorageError,
  WaitTimeoutError,
  WorkerLostError,
} from '../errors/index.ts'
export {
  type Activation,
  type ActivationReport,
  type Cancellation,
  type CleanOptions,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type DeleteOptions,
  type DeployOptions,
  type ExtendedRuntime,
  type InstalledVersions,
  type InvokeOptions,
  type LogQuery,
  type NativePackage,
  type PlatformPolicy,
  type RuntimeBuild,
  type RuntimeExtension,
  type RuntimeFunction,
  type RuntimeListing,
  type RuntimeMetadata,
  type RuntimeSpec,
  type RunUsage,
  type WorkerDriver,
  type WorkerSecrets,
} from './compute-backend.ts'
export type { ConfigFieldInfo, ConfigSection, ConfigSource } from './config-section.ts'
export {
  type Deployed,
  type DeployedParts,
  DeployedRuntimes,
  type DeployRuntime,
} from './deployed-runtimes.ts'
export type { ComputeDriver, DriverContext, DriverLog, MonitorDriver, StorageDriver } from './driver.ts'
export { forEachAtOnce } from './for-each-at-once.ts'
export { HttpAgents } from './http-agents.ts'
export { KnownFacts } from './known-facts.ts'
export { inByteOrder } from './listing-order.ts'
export {
  ancestorsOf,
  blockOf,
  CALLS_PER_BLOCK,
  type JobKey,
  MONITOR_SPEC_VERSION,
  type Monitor,
  type PublishedCalls,
  type PublisherAddress,
  type PublisherContext,
  type PublisherDriver,
  type PublisherLimit,
  type StatusPublisher,
  type WatchOptions,
} from './monitor.ts'
export { withinOpenFiles } from './open-files.ts'
export {
  type InstalledPackages,
  type InstallOptions,
  installPackages,
  type PackageFile,
  type PlatformTarget,
  packageSetId,
} from './platform-packages.ts'
export { pause, runStep } from './platform-steps.ts'
export type { RabbitChannel, RabbitMessageOptions } from './rabbit-channel.ts'
export { repeatUndone } from './repeat-undone.ts'
export {
  decodeSecrets,
  encodeSecrets,
  mergeSecrets,
  SECRETS_ENVIRONMENT_NAME,
} from './secrets-environment.ts'
export {
  type Body,
  type ByteRange,
  type GetOptions,
  type KeyLimits,
  type ListOptions,
  type ObjectEntry,
  type ObjectHead,
  type ObjectPlace,
  type PutOptions,
  STORAGE_SPEC_VERSION,
  type StorageBackend,
  type StorageCallOptions,
  type StorageCapabilities,
  type StorageRequests,
} from './storage-backend.ts'
export { blocksOf, StreamBody } from './storage-body.ts'
export {
  accessRefused,
  bareCause,
  bucketNotFound,
  checkKey,
  describePlace,
  flawOfKey,
  isWellFormed,
  objectChanged,
  objectNotFound,
  resolveRange,
  retryAfterMs,
  type StoragePlace,
  storageClosed,
  storageFailed,
} from './storage-checks.ts'
export { TIMEOUT_MARK } from './worker-marks.ts'
