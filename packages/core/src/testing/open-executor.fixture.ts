import type { ComputeBackend } from '../driver/compute-backend.ts'
import type { ExecutorOptions, OpenExecutor } from '../executor/open-executor.ts'
import type { Invoker } from '../invoker/invoker.ts'

/** Opens an executor over the backend object it is given, without config files. */
export function openExecutor(options: ExecutorOptions, invoker: Invoker): OpenExecutor {
  const backend = options.backend as unknown as ComputeBackend
  invoker.use([backend])
  return {
    runtime: {},
    jobDefaults: { timeoutMs: 1_800_000, retries: { infrastructure: 5, user: 0 } },
    log: { debug() {}, info() {}, warn: message => console.warn(message) },
    backends: async () => [backend],
    surroundingsOf: (_job, directory) => ({ directory }),
    jobEnded() {},
    readLocation: async () => new Uint8Array(),
    clean: async () => {},
    cleanAll: cleanOptions => backend.clean(cleanOptions),
    close: async () => {},
  }
}
