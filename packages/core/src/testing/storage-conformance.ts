import { registerCases } from './kit.ts'
import { type StorageConformanceOptions, StorageContext } from './storage-context.ts'
import { keyCases } from './storage-key-cases.ts'
import { objectCases } from './storage-object-cases.ts'
import { raceCases } from './storage-race-cases.ts'

export type { StorageConformanceOptions, StorageTiming } from './storage-context.ts'

/**
 * Proves that a storage driver keeps the StorageBackend contract. Registers one test for each case.
 *
 * ```ts
 * storageConformance({ test, createBackend: () => new MyStorage({ endpoint }) })
 * ```
 */
export function storageConformance(options: StorageConformanceOptions): void {
  const bucket = options.bucket ?? 'lithops-conformance'
  const timing = { listDelayMs: 0, manyKeys: 2_100, requestsAtOnce: 32, ...options.timing }
  registerCases({
    test: options.test,
    kit: 'storage',
    cases: [...objectCases, ...keyCases, ...raceCases],
    open: async () => {
      const backend = await options.createBackend()
      const cleaner = await options.createBackend()
      await backend.createBucket(bucket)
      await cleaner.createBucket(bucket)
      return { subject: backend, context: new StorageContext(backend, cleaner, { bucket, timing }) }
    },
  })
}
