import type { StorageRequests } from '../driver/storage-backend.ts'
import type { Job } from '../job/job.ts'
import type { StorageUse } from '../job/storage-uses.ts'
import type { BackendUsage } from '../job/usage.ts'

/** What jobs have asked of one storage, their workers and the client together. */
export interface StorageUsage extends StorageRequests {
  /** In USD, by the list prices that the storage's driver knows; undefined where it knows none. */
  readonly costUsd: number | undefined
}

/** What jobs have used, on one backend or on all of them together. */
export interface JobUsage {
  /** Activations that the platform has taken; each is a request of its price list. */
  readonly requests: number
  /** Milliseconds that are billed. */
  readonly billedMs: number
  /** The same times the memory of the workers; undefined where their memory is not known. */
  readonly gibSeconds: number | undefined
  /**
   * true: the platform did not tell what it bills for some of the requests, and the run time of the functions stands in its
   * place.
   */
  readonly isEstimated: boolean
  /** Activations that were the first of their worker. */
  readonly coldStarts: number
  /** The same as a share of all requests, from 0 to 1. */
  readonly coldStartShare: number
  /** Mean milliseconds that a worker took to start; undefined when none was started. */
  readonly initMs: number | undefined
  /**
   * In USD, by the list prices that the backend knows, without free tiers and discounts; undefined where it knows none.
   * What logs, stored bytes and transfer cost is not in it.
   */
  readonly costUsd: number | undefined
}

/**
 * What jobs have used: all together, and by config name of the backend and of the storage. `costUsd` of all is that of the
 * backends and of the requests to storages; undefined when one of them is.
 */
export interface UsageReport extends JobUsage {
  readonly backends: Readonly<Record<string, JobUsage>>
  /**
   * Requests to storages: for functions, inputs, results and the way home, those of `context.storage`, and those for the
   * job's data. Each try counts. Not in it: what the program does with `fexec.storage()`, and what a worker asked after
   * its last word. Storages without requests are left out.
   */
  readonly storages: Readonly<Record<string, StorageUsage>>
}

/** Adds up what jobs have used so far. */
export function usageOfJobs(jobs: Iterable<Job>): UsageReport {
  const byBackend = new Map<string, JobUsage[]>()
  const byStorage = new Map<string, StorageUsage>()
  for (const job of jobs) {
    for (const [name, use] of job.storageUses.entries())
      byStorage.set(name, withUse(byStorage.get(name) ?? NOTHING_ASKED, use))
    for (const usage of job.usage) {
      const { name } = usage.backend
      byBackend.set(name, [...(byBackend.get(name) ?? []), usageOf(usage)])
    }
  }
  const backends = [...byBackend].map(([name, usages]) => [name, sum(usages)] as const)
  const ran = sum(backends.map(([, usage]) => usage))
  return {
    ...ran,
    costUsd: [...byStorage.values()].reduce((all, { costUsd }) => plus(all, costUsd), ran.costUsd),
    backends: Object.fromEntries(backends),
    storages: Object.fromEntries(byStorage),
  }
}

const NOTHING_ASKED: StorageUsage = { writes: 0, reads: 0, costUsd: 0 }

function withUse(usage: StorageUsage, { backend, requests }: StorageUse): StorageUsage {
  return {
    writes: usage.writes + requests.writes,
    reads: usage.reads + requests.reads,
    costUsd: plus(usage.costUsd, backend?.costOf?.(requests)),
  }
}

/** Undefined when one of them is: a part is not the whole. */
function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

function usageOf(usage: BackendUsage): JobUsage {
  const { backend, memoryMiB, requests, billedRequests, coldStarts } = usage
  const isEstimated = billedRequests < requests
  const billedMs = isEstimated ? Math.max(usage.billedMs, usage.ranMs) : usage.billedMs
  const costUsd =
    memoryMiB === undefined ? undefined : backend.costOf?.({ durationMs: billedMs, memoryMiB, requests })
  return {
    requests,
    billedMs,
    gibSeconds: memoryMiB === undefined ? undefined : (billedMs / 1000) * (memoryMiB / 1024),
    isEstimated,
    coldStarts,
    coldStartShare: requests === 0 ? 0 : coldStarts / requests,
    initMs: coldStarts === 0 ? undefined : usage.initMs / coldStarts,
    costUsd,
  }
}

function sum(usages: readonly JobUsage[]): JobUsage {
  const total = (of: (usage: JobUsage) => number) => usages.reduce((all, usage) => all + of(usage), 0)
  /** Undefined when one of them is: a part is not the whole. */
  const known = (of: (usage: JobUsage) => number | undefined) =>
    usages.some(usage => of(usage) === undefined) ? undefined : total(usage => of(usage) ?? 0)
  const requests = total(usage => usage.requests)
  const coldStarts = total(usage => usage.coldStarts)
  return {
    requests,
    billedMs: total(usage => usage.billedMs),
    gibSeconds: known(usage => usage.gibSeconds),
    isEstimated: usages.some(usage => usage.isEstimated),
    coldStarts,
    coldStartShare: requests === 0 ? 0 : coldStarts / requests,
    initMs:
      coldStarts === 0 ? undefined : total(usage => (usage.initMs ?? 0) * usage.coldStarts) / coldStarts,
    costUsd: known(usage => usage.costUsd),
  }
}
