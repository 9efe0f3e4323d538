export type { ObjectAddress, ObjectReference } from './data/address.ts'
export { type ColumnType, type ColumnTypes, type CsvOptions, csv, type RowOf } from './data/csv-source.ts'
export { ObjectSource, type ObjectsInput } from './data/object-source.ts'
export { jsonLines, objects } from './data/objects.ts'
export { type ParquetOptions, parquet } from './data/parquet-source.ts'
export type { ObjectsOptions } from './data/source-options.ts'
export {
  CallCancelledError,
  CallError,
  type CallErrorOptions,
  CallOutOfMemoryError,
  CallTimeoutError,
  ConfigError,
  DriverContractError,
  DriverNotFoundError,
  InvocationError,
  type InvocationErrorOptions,
  LithopsError,
  type LithopsErrorOptions,
  MonitorError,
  NotSupportedError,
  ObjectNotFoundError,
  ProtocolError,
  RuntimeBuildError,
  RuntimeDeployError,
  SerializationError,
  type SerializationErrorOptions,
  StorageAccessError,
  StorageError,
  WaitTimeoutError,
  WorkerLostError,
} from './errors/index.ts'
export { AttachedJob, type AttachOptions, type JobInfo } from './executor/attached-job.ts'
export type { ExecutorOptions } from './executor/executor-options.ts'
export { LocalhostExecutor, RetryingFunctionExecutor, ServerlessExecutor } from './executor/executors.ts'
export {
  FunctionExecutor,
  type Futures,
  type ItemList,
  type ItemSource,
  type MapFunction,
  type ReduceFunction,
} from './executor/function-executor.ts'
export type { JobListing } from './executor/job-listing.ts'
export type {
  GroupedFutures,
  GroupedMapReduceOptions,
  MapReduceOptions,
  ObjectMapReduceOptions,
} from './executor/map-reduce.ts'
export { Storage, type StorageOptions } from './executor/named-storage.ts'
export type { GetResultOptions } from './executor/read-results.ts'
export { GroupedFuturesStream } from './executor/reduce-groups.ts'
export {
  type BackendPolicy,
  type DeployedRuntime,
  type ExtendedRuntimeReport,
  type RuntimeChoice,
  type RuntimeDeployChoice,
  type RuntimeExtendChoice,
  type RuntimeReport,
  Runtimes,
} from './executor/runtimes.ts'
export { exported } from './function/exported.ts'
export { CallHandle, type CallStatus, type ResultOptions } from './future/call-handle.ts'
export { FuturesList } from './future/futures-list.ts'
export { FuturesStream } from './future/futures-stream.ts'
export { ResponseFuture } from './future/response-future.ts'
export {
  ALL_COMPLETED,
  ALWAYS,
  ANY_COMPLETED,
  type ReturnWhen,
  type WaitOptions,
  type WaitResult,
} from './future/wait.ts'
export type { CallState } from './job/call.ts'
export type { CallOptions, RetryBudget } from './job/job-options.ts'
export { ObjectPiece, type PieceReadOptions, TablePiece } from './piece/index.ts'
export type { CallStats } from './stats/call-stats.ts'
export type { JobUsage, StorageUsage, UsageReport } from './stats/job-usage.ts'
export { type CloudObject, isCloudObject } from './storage/cloud-object.ts'
export {
  StorageReader,
  type StorageReadMode,
  type StorageWriteMode,
  StorageWriter,
} from './storage/file-handles.ts'
export type { StorageEntry, WalkedFolder } from './storage/file-view.ts'
export { ObjectOperations, type StorageParts } from './storage/object-operations.ts'
export { Storage as ObjectStorage } from './storage/storage.ts'
export type {
  CloudObjectPutOptions,
  PresignOptions,
  StorageGetOptions,
  StorageListOptions,
  StorageOperationOptions,
  StoragePlaceName,
  StoragePutOptions,
  StorageTransferOptions,
  StorageUploadOptions,
  StorageValue,
  TransferProgress,
} from './storage/storage-options.ts'
export { LITHOPS_VERSION } from './version.ts'
export type { CallContext, CallLogger } from './worker/call-context.ts'
