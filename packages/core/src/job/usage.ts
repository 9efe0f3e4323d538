import type { ComputeBackend } from '../driver/compute-backend.ts'

/** What a job has used of one backend, counted as it comes to be known. */
export interface BackendUsage {
  readonly backend: ComputeBackend
  /** Undefined where the backend's default has none. */
  readonly memoryMiB: number | undefined
  /** Activations that the platform has taken. */
  requests: number
  /** Milliseconds that it bills for those of which it tells, and how many these are. */
  billedMs: number
  billedRequests: number
  /** Milliseconds that functions ran. */
  ranMs: number
  /** Activations that were the first of their worker, and the milliseconds that these took to start. */
  coldStarts: number
  initMs: number
}

export function newUsage(backend: ComputeBackend, memoryMiB: number | undefined): BackendUsage {
  return {
    backend,
    memoryMiB,
    requests: 0,
    billedMs: 0,
    billedRequests: 0,
    ranMs: 0,
    coldStarts: 0,
    initMs: 0,
  }
}
