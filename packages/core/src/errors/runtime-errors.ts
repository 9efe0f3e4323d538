import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

/** A runtime (image, layer, zip) could not be built. */
export class RuntimeBuildError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_RUNTIME_BUILD', ...options })
  }
}

/** A runtime could not be deployed, or never became ready. The message has the platform's own reason. */
export class RuntimeDeployError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_RUNTIME_DEPLOY', ...options })
  }
}

export interface InvocationErrorOptions extends LithopsErrorOptions {
  /** The function may have run. Default: false. */
  readonly mayHaveRun?: boolean
  /** The platform refused because of too many activations or requests, and ran nothing. Default: false. */
  readonly isThrottled?: boolean
}

/**
 * The platform refused an activation, or lost it. `mayHaveRun` says whether the function may have run. An activation that
 * was refused for being one too many (`isThrottled`) is sent again more slowly, which costs its calls no retry;
 * `details.retryAfterMs` is how long the platform asked to wait, where it did.
 */
export class InvocationError extends LithopsError {
  readonly mayHaveRun: boolean
  readonly isThrottled: boolean

  constructor(message: string, options: InvocationErrorOptions = {}) {
    super(message, { code: 'LITHOPS_INVOCATION', isRetryable: true, ...options })
    this.mayHaveRun = options.mayHaveRun ?? false
    this.isThrottled = options.isThrottled ?? false
  }
}
