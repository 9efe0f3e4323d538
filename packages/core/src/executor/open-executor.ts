import type { ComputeBackend, RuntimeSpec } from '../driver/compute-backend.ts'
import type { DriverLog } from '../driver/driver.ts'
import type { Invoker } from '../invoker/invoker.ts'
import type { JobSurroundings } from '../invoker/job-message.ts'
import type { Job } from '../job/job.ts'
import { DEFAULT_RETRIES, type JobDefaults } from '../job/job-options.ts'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'
import type { Location } from '../worker/protocol.ts'

export interface ExecutorOptions {
  readonly backend?: string
  readonly localhost?: { readonly worker_processes?: number; readonly isolation?: 'worker' | 'call' }
}

export interface OpenExecutor {
  readonly runtime: Partial<RuntimeSpec>
  readonly jobDefaults: JobDefaults
  readonly log: DriverLog
  backends(): Promise<readonly ComputeBackend[]>
  surroundingsOf(job: Job, directory: () => Promise<string>): JobSurroundings | Promise<JobSurroundings>
  jobEnded(job: Job): void
  readLocation(location: Location): Promise<Uint8Array>
  clean(): Promise<void>
  cleanAll(options: { readonly dryRun?: boolean }): Promise<readonly string[]>
  close(): Promise<void>
}

export function openExecutor(options: ExecutorOptions, invoker: Invoker): OpenExecutor {
  const backend = new LocalhostBackend({
    workers: options.localhost?.worker_processes,
    isolation: options.localhost?.isolation,
  })
  invoker.use([backend])
  return {
    runtime: {},
    jobDefaults: { timeoutMs: 1_800_000, retries: DEFAULT_RETRIES },
    log: { debug() {}, info() {}, warn: message => console.warn(message) },
    backends: async () => [backend],
    surroundingsOf: (_job, directory) => ({ directory }),
    jobEnded() {},
    readLocation: async () => new Uint8Array(),
    clean: async () => {},
    cleanAll: o => backend.clean(o),
    close: () => backend.close(),
  }
}
