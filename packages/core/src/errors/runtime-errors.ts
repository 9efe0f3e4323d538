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

/** The platform refused an activation, or lost it. `mayHaveRun` says whether the function may have run. */
export class InvocationError extends LithopsError {
  readonly mayHaveRun: boolean

  constructor(message: string, options: LithopsErrorOptions & { readonly mayHaveRun?: boolean } = {}) {
    super(message, { code: 'LITHOPS_INVOCATION', isRetryable: true, ...options })
    this.mayHaveRun = options.mayHaveRun ?? false
  }
}
