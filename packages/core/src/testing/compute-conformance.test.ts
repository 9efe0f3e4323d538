import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import type { StorageDriver } from '../driver/driver.ts'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import { localhostStorageDriver } from '../localhost/localhost-storage.ts'
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

/** As small as a platform's limits would be if its tests had to be quick. */
const SMALL = { maxPayloadBytes: 8 * 1024, maxReplyBytes: 4 * 1024 }

describe('memory with small limits, without a storage', () => {
  computeConformance({
    test,
    createBackend: () => new MemoryCompute(SMALL),
    executorOptions: { storage: 'storageless' },
  })
})

describe('memory with small limits, over a storage in memory', () => {
  computeConformance({
    test,
    createBackend: () => new MemoryCompute(SMALL),
    executorOptions: { storage: memoryStorage() },
  })
})

describe('memory with small limits, over a storage in a folder', () => {
  const root = mkdtempSync(join(tmpdir(), 'lithops-limits-'))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const storage: StorageDriver = {
    specVersion: 1,
    name: 'localhost',
    create: (config, context) => localhostStorageDriver.create({ ...config, root }, context),
  }
  computeConformance({
    test,
    createBackend: () => new MemoryCompute(SMALL),
    executorOptions: { storage },
  })
})
