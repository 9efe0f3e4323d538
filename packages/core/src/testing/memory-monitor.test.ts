import { test } from 'vitest'
import { MemoryMonitor, openMemoryPublisher } from './memory-monitor.ts'
import { monitorConformance } from './monitor-conformance.ts'

monitorConformance({
  test,
  createMonitor: () => {
    const monitor = new MemoryMonitor()
    return {
      monitor,
      openPublisher: openMemoryPublisher,
      leftovers: async () => monitor.jobs,
      interrupt: async () => monitor.interrupt(),
    }
  },
})
