import test from 'node:test'
import {
  computeConformance,
  MemoryCompute,
  MemoryMonitor,
  MemoryStorage,
  monitorConformance,
  openMemoryPublisher,
  storageConformance,
} from '@lithops/core/testing'

// put your own backend, storage and monitor where these are
computeConformance({ test, createBackend: () => new MemoryCompute() })
storageConformance({ test, createBackend: () => new MemoryStorage(), bucket: 'kit' })
monitorConformance({
  test,
  createMonitor: () => ({ monitor: new MemoryMonitor(), openPublisher: openMemoryPublisher }),
})
