/** What every error class of this project carries besides its message. */
export interface LithopsErrorOptions {
  /** Stable within a major version; see docs/reference/errors.md. */
  readonly code?: string
  /** Whether doing the same again may succeed. Default: false. */
  readonly isRetryable?: boolean
  /** Facts for programs: ids, bucket, key, region. Never a secret, never a whole payload. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

const MARK = Symbol.for('lithops.error')

/** The base of all errors that this project throws. Recognised across copies of the package by `isInstance`. */
export class LithopsError extends Error {
  readonly code: string
  readonly isRetryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code ?? 'LITHOPS_ERROR'
    this.isRetryable = options.isRetryable ?? false
    this.details = options.details ?? {}
    Object.defineProperty(this, MARK, { value: this.name, enumerable: false, configurable: true })
  }

  /** True for an error of this class or one derived from it, whichever copy of the package made it. */
  static isInstance<C extends abstract new (...args: never[]) => LithopsError>(
    this: C,
    error: unknown,
  ): error is InstanceType<C> {
    if (typeof error !== 'object' || error === null || !(MARK in error)) return false
    for (let p = Object.getPrototypeOf(error); p !== null; p = Object.getPrototypeOf(p)) {
      if (p.constructor === this || p.constructor?.name === this.name) return true
    }
    return false
  }
}
