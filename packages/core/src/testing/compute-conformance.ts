import { callCases } from './compute-call-cases.ts'
import { type ComputeConformanceOptions, ComputeContext } from './compute-context.ts'
import { endingCases } from './compute-ending-cases.ts'
import { closingCases, runtimeCases } from './compute-runtime-cases.ts'
import { sharingCases } from './compute-sharing-cases.ts'
import { registerCases } from './kit.ts'

export type { ComputeConformanceOptions, ComputeTiming } from './compute-context.ts'

/**
 * Proves that a compute backend keeps the ComputeBackend contract, alone and under an executor. Registers one test for
 * each case.
 *
 * ```ts
 * computeConformance({ test, createBackend: () => new MyBackend({ region }) })
 * ```
 */
export function computeConformance(options: ComputeConformanceOptions): void {
  const timing = { callMs: 20_000, stopMs: 5_000, timeoutMs: 300, manyCalls: 500, ...options.timing }
  registerCases({
    test: options.test,
    kit: 'compute',
    cases: [...runtimeCases, ...callCases, ...endingCases, ...sharingCases, ...closingCases],
    open: async () => {
      const backend = await options.createBackend()
      const context = new ComputeContext(backend, { timing, executorOptions: options.executorOptions ?? {} })
      return { subject: backend, context }
    },
  })
}
