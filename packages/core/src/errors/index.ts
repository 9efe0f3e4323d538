export {
  CallCancelledError,
  CallError,
  type CallErrorOptions,
  CallOutOfMemoryError,
  CallTimeoutError,
  WaitTimeoutError,
  WorkerLostError,
} from './call-errors.ts'
export { ConfigError } from './config-error.ts'
export { DriverContractError, DriverNotFoundError } from './driver-errors.ts'
export { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'
export { MonitorError, NotSupportedError, ProtocolError } from './other-errors.ts'
export {
  InvocationError,
  type InvocationErrorOptions,
  RuntimeBuildError,
  RuntimeDeployError,
} from './runtime-errors.ts'
export { SerializationError, type SerializationErrorOptions } from './serialization-error.ts'
export { ObjectNotFoundError, StorageAccessError, StorageError } from './storage-errors.ts'
