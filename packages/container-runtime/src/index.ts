export type {
  ArrayLimits,
  ArrayPlace,
  ArrayPlatform,
  ArrayStart,
  ArrayView,
  ArrayWords,
  KeptIndices,
  LookOptions,
  RefusedStart,
  StartedRun,
} from './batch/array-platform.ts'
export { Batches, type BatchesOptions } from './batch/batches.ts'
export { QuotaRoom, type QuotaRoomOptions } from './batch/quota-room.ts'
export { type StartOnceOptions, startOnce } from './batch/start-once.ts'
export { BATCH_VARIABLE, batchVariables, encodeBatch, packBatch } from './batch-file.ts'
export {
  batchCapabilities,
  type ContainerSettings,
  type RequestSettings,
  requestCapabilities,
} from './capabilities.ts'
export { noteFunctionBuild, warnOfPublicCode } from './code-warnings.ts'
export { environmentSetting } from './environment-setting.ts'
export {
  EXIT_FACTS,
  type ExitHead,
  type ExitMetadata,
  functionFacts,
  functionsOfExits,
  metadataOfExits,
  TELL_BY_EXIT_VARIABLE,
} from './exit-facts.ts'
export { type FindImageToolOptions, findImageTool, IMAGE_TOOLS } from './find-image-tool.ts'
export { ACCESS_HEADER, ACCESS_KEY_VARIABLE } from './http-protocol.ts'
export { type DeployedImage, ImageCleaner, type ImageCleanerOptions } from './image-cleaner.ts'
export {
  byDigest,
  formatImageReference,
  type ImageReference,
  parseImageReference,
  shortDigest,
} from './image-reference.ts'
export {
  type FoundTool,
  type ImageBuild,
  ImageTool,
  type ImageToolName,
  type StepOptions,
} from './image-tool.ts'
export { oncePerMachine } from './machine-lock.ts'
export {
  imageName,
  isPublicByDefault,
  loginOf,
  type RegistryKind,
  type RegistryLogin,
  type RegistrySettings,
  registryKind,
} from './registries.ts'
export { digestOf, labelsOf, type ResolveOptions, removeImage, tagsOf } from './registry-client.ts'
export {
  type KnownDigests,
  type ReadyImage,
  RuntimeImages,
  type RuntimeImagesOptions,
  type RuntimeImagesSettings,
} from './runtime-images.ts'
export { type WorkerRefusal, workerRefused } from './worker-answers.ts'
export { BATCH_ARGUMENT, METADATA_ARGUMENT } from './worker-arguments.ts'
export { bundleWorker } from './worker-bundle.ts'
export {
  imageTarget,
  type WorkerCode,
  type WorkerFiles,
  type WorkerParts,
  workerCode,
} from './worker-code.ts'
export {
  WorkerConnections,
  type WorkerConnectionsOptions,
  type WorkerReport,
  type WorkerRequest,
} from './worker-connections.ts'
export { WorkerFinder } from './worker-finder.ts'
export {
  buildExtensionImage,
  buildWorkerImage,
  contentTag,
  DEFAULT_BASE_IMAGE,
  type ExtensionImage,
  extensionTag,
  functionFiles,
  WORKER_PATH,
  WORKER_RECIPE,
  type WorkerImage,
} from './worker-image.ts'
export { prefixOf, shortHash, userKey, workerName } from './worker-names.ts'
