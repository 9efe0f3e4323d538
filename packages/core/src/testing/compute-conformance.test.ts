import { describe, test } from 'vitest'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import { computeConformance } from './compute-conformance.ts'
import { MemoryCompute } from './memory-compute.ts'
import { memoryMonitor } from './memory-monitor.ts'
import { memoryStorage } from './memory-storage.ts'

describe('memory', () => {
  computeConformance({ test, createBackend: () => new MemoryCompute() })
})

describe('memory, with results by way of storage', () => {
  computeConformance({
    test,
    createBackend: () => new MemoryCompute(),
    executorOptions: { storage: memoryStorage(), monitoring: 'storage' },
  })
})

describe('memory, with results by way of a monitor', () => {
  computeConformance({
    test,
    createBackend: () => new MemoryCompute(),
    executorOptions: { storage: memoryStorage(), monitoring: memoryMonitor() },
  })
})

describe('localhost', () => {
  computeConformance({ test, createBackend: () => new LocalhostBackend({ workers: 2 }) })
})
