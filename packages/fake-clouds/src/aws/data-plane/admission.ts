import { TokenBucket, throttled } from '../lambda/throttling.ts'
import type { AwsQuotas } from '../options.ts'

/** Who may run now: the concurrency of the account and of functions, and how fast they may grow. */
export class Admission {
  readonly #quotas: AwsQuotas
  readonly #requests: TokenBucket
  readonly #growth = new Map<string, TokenBucket>()
  readonly #running = new Map<string, number>()
  readonly #reserved = new Map<string, number>()
  #peak = 0

  constructor(quotas: AwsQuotas) {
    this.#quotas = quotas
    const perSecond = quotas.concurrentExecutions * quotas.requestsPerSecondPerConcurrency
    this.#requests = new TokenBucket({ capacity: perSecond, perSecond, nowMs: Date.now() })
  }

  /** Most calls that ever ran at once. */
  get peak(): number {
    return this.#peak
  }

  get unreserved(): number {
    const reserved = [...this.#reserved.values()].reduce((sum, count) => sum + count, 0)
    return this.#quotas.concurrentExecutions - reserved
  }

  reserve(functionName: string, count: number | undefined): void {
    if (count === undefined) this.#reserved.delete(functionName)
    else this.#reserved.set(functionName, count)
  }

  /** Lets a call in, or throws what Lambda answers instead. The caller calls what is returned when the call has ended. */
  admit(functionName: string, needsEnvironment: boolean): () => void {
    const nowMs = Date.now()
    const reserved = this.#reserved.get(functionName)
    const running = this.#running.get(functionName) ?? 0
    if (reserved !== undefined && running >= reserved) {
      throw throttled('ReservedFunctionConcurrentInvocationLimitExceeded')
    }
    if (reserved === undefined && this.#runningUnreserved() >= this.unreserved) {
      throw throttled('ConcurrentInvocationLimitExceeded')
    }
    if (!this.#requests.take(nowMs)) throw throttled('FunctionInvocationRateLimitExceeded')
    if (needsEnvironment && !this.#growthOf(functionName, nowMs).take(nowMs)) {
      throw throttled('ConcurrentInvocationLimitExceeded')
    }
    this.#running.set(functionName, running + 1)
    const all = [...this.#running.values()].reduce((sum, count) => sum + count, 0)
    this.#peak = Math.max(this.#peak, all)
    return () => {
      const left = (this.#running.get(functionName) ?? 1) - 1
      if (left === 0) this.#running.delete(functionName)
      else this.#running.set(functionName, left)
    }
  }

  #runningUnreserved(): number {
    return [...this.#running]
      .filter(([name]) => !this.#reserved.has(name))
      .reduce((sum, [, count]) => sum + count, 0)
  }

  #growthOf(functionName: string, nowMs: number): TokenBucket {
    let bucket = this.#growth.get(functionName)
    if (bucket === undefined) {
      const capacity = this.#quotas.environmentsPerTenSeconds
      bucket = new TokenBucket({ capacity, perSecond: capacity / 10, nowMs })
      this.#growth.set(functionName, bucket)
    }
    return bucket
  }
}
