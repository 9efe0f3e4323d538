export {
  type ComputeConformanceOptions,
  type ComputeTiming,
  computeConformance,
} from './compute-conformance.ts'
export type { TestFunction } from './kit.ts'
export { MemoryCompute, type MemoryComputeOptions, memoryCompute } from './memory-compute.ts'
export { MemoryMonitor, memoryMonitor, openMemoryPublisher } from './memory-monitor.ts'
export { MemoryStorage, memoryStorage, openMemoryStorage } from './memory-storage.ts'
export {
  type MonitorConformanceOptions,
  type MonitorTiming,
  type MonitorUnderTest,
  monitorConformance,
} from './monitor-conformance.ts'
export {
  type StorageConformanceOptions,
  type StorageTiming,
  storageConformance,
} from './storage-conformance.ts'
