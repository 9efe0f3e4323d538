export { type ConfigField, defineConfigSection, field } from '../config/section.ts'
export {
  CallCancelledError,
  CallError,
  CallOutOfMemoryError,
  CallTimeoutError,
  ConfigError,
  DriverContractError,
  DriverNotFoundError,
  InvocationError,
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
  type CleanOptions,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type InvokeOptions,
  type RuntimeBuild,
  type RuntimeListing,
  type RuntimeMetadata,
  type RuntimeSpec,
} from './compute-backend.ts'
export type { ConfigFieldInfo, ConfigSection, ConfigSource } from './config-section.ts'
export type { ComputeDriver, DriverContext, DriverLog, MonitorDriver, StorageDriver } from './driver.ts'
export {
  type JobKey,
  MONITOR_SPEC_VERSION,
  type Monitor,
  type PublisherAddress,
  type StatusPublisher,
  type WatchOptions,
} from './monitor.ts'
export {
  type Body,
  type ByteRange,
  type GetOptions,
  type ObjectEntry,
  type ObjectHead,
  type PutOptions,
  STORAGE_SPEC_VERSION,
  type StorageBackend,
  type StorageCallOptions,
  type StorageCapabilities,
} from './storage-backend.ts'
