import { AwsError } from '../http/aws-error.ts'

/** Why Lambda answers 429. From: `ThrottleReason` of the service's model in the SDK. */
export type ThrottleReason =
  | 'ConcurrentInvocationLimitExceeded'
  | 'FunctionInvocationRateLimitExceeded'
  | 'ReservedFunctionConcurrentInvocationLimitExceeded'
  | 'ReservedFunctionInvocationRateLimitExceeded'
  | 'CallerRateLimitExceeded'
  | 'ConcurrentSnapshotCreateLimitExceeded'

export function throttled(reason: ThrottleReason): AwsError {
  // the front end, which limits callers, has no full stop
  const message = reason === 'CallerRateLimitExceeded' ? 'Rate exceeded' : 'Rate Exceeded.'
  return new AwsError(429, 'TooManyRequestsException', message, { fields: { Reason: reason, Type: 'User' } })
}

/** A quantity that is used up and comes back at a rate, up to a limit. Amounts that are not used are not saved beyond it. */
export class TokenBucket {
  readonly #capacity: number
  readonly #perSecond: number
  #level: number
  #atMs: number

  constructor(options: { readonly capacity: number; readonly perSecond: number; readonly nowMs: number }) {
    this.#capacity = options.capacity
    this.#perSecond = options.perSecond
    this.#level = options.capacity
    this.#atMs = options.nowMs
  }

  /** Takes one if there is one. */
  take(nowMs: number): boolean {
    const passedS = Math.max(0, nowMs - this.#atMs) / 1000
    this.#level = Math.min(this.#capacity, this.#level + passedS * this.#perSecond)
    this.#atMs = nowMs
    if (this.#level < 1) return false
    this.#level--
    return true
  }
}
