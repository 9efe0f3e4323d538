import type { ComputeBackend } from '@lithops/core/driver'
import { afterEach } from 'vitest'
import { endCases } from './end-cases.ts'
import { lossCases } from './loss-cases.ts'
import type { MinioExecutors } from './with-minio.ts'

/** What fits a fault is left in peace, or struck, as the faults of the stand-ins have it. */
export interface FaultScope {
  readonly every?: number
  readonly times?: number
}

/** A fault that waits for what it is for. */
export interface WaitingFault {
  readonly strikes: number
}

/** A stand-in of a platform of batches, as far as the suite looks at it. */
export interface BatchCloud {
  /** Takes faults, and what was seen, away. */
  clear(): void
  /** Instances are killed so long after their start, without a word. */
  killInstances(afterMs: number, scope: FaultScope): WaitingFault
  /** Requests of the API are done, and not answered. */
  loseAnswers(scope: FaultScope): WaitingFault
  /** Requests of the API are answered with 503, and not done. */
  failAnswers(scope: FaultScope): WaitingFault
  /** Registry whose images the instances are. */
  readonly registry: { pull(reference: string, authorization: string | undefined): unknown }
  /** Names of jobs, and of array runs, that are there. */
  readonly jobs: readonly string[]
  readonly runs: readonly string[]
  /** How many instances each array run was asked for with, since `clear`. */
  readonly askedCounts: readonly number[]
  /** Requests by which array runs were begun, since `clear`: the largest, in bytes. */
  readonly largestStartBytes: number
  /** Instances that run now. */
  readonly activeCount: number
  /** As somebody else would. */
  removeJob(name: string): Promise<void> | void
  removeRun(name: string): Promise<void> | void
}

export interface BatchFaultSuiteOptions {
  readonly storage: MinioExecutors
  /** Started when it is first needed. */
  readonly start: () => Promise<BatchCloud>
  /** Opens a backend with these keys of its section beside those that it needs: at most 4 workers of 512 MiB, 60 s. */
  readonly open: (section?: Record<string, unknown>) => Promise<ComputeBackend>
  /** The next backends know nothing of what others have found out. */
  readonly newCache: () => void
  readonly words: {
    /** Of a call whose instance was killed: message and details. */
    readonly killed: RegExp
    readonly killedDetails: Readonly<Record<string, unknown>>
    /** Of a deployment, and of a call, whose image cannot be pulled. */
    readonly unpullable: RegExp
    readonly unpullableLater: RegExp
    /** Of a deployment whose workers do not start for want of a good NODE_OPTIONS, `--no-such-option`. */
    readonly unstarted: RegExp
  }
  /** Calls with arguments of 20 KB that no packing makes smaller, which are more than one run takes. */
  readonly unlikeCalls: number
  /** Bytes that no request which begins a run may reach. */
  readonly startBytes: number
}

/** What a case works with. Functions of `FaultCase` make what they need of it. */
export interface FaultContext extends BatchFaultSuiteOptions {
  readonly cloud: BatchCloud
}

export interface FaultCase {
  readonly name: string
  readonly timeoutMs?: number
  readonly run: (context: FaultContext) => Promise<void>
}

const CASES: readonly FaultCase[] = [...lossCases, ...endCases]

/**
 * Tries a backend of batches with what breaks on its platform.
 *
 * @param fits which cases are registered, by their names: all of a backend should be in one file of its tests or another. Default: all.
 */
export function batchFaultSuite(
  options: BatchFaultSuiteOptions,
  fits: (name: string) => boolean = () => true,
): void {
  afterEach(async () => (await options.start()).clear())
  for (const { name, timeoutMs = 120_000, run } of CASES) {
    if (!fits(name)) continue
    options.storage.test(
      name,
      async () => {
        const cloud = await options.start()
        const backend = await options.open()
        // each file may run any of the cases first
        await using fexec = options.storage.open(backend)
        await (await fexec.storage()).createBucket()
        await run({ ...options, cloud })
      },
      { timeout: timeoutMs },
    )
  }
}
