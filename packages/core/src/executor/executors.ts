import type { ExecutorOptions } from './executor-options.ts'
import { FunctionExecutor } from './function-executor.ts'

/** A FunctionExecutor on this machine, whatever the config names. */
export class LocalhostExecutor extends FunctionExecutor {
  constructor(options: ExecutorOptions = {}) {
    super(options, { className: 'LocalhostExecutor', only: 'localhost' })
  }
}

/** A FunctionExecutor that refuses localhost, so that a missing config cannot make a large job run here. */
export class ServerlessExecutor extends FunctionExecutor {
  constructor(options: ExecutorOptions = {}) {
    super(options, { className: 'ServerlessExecutor', only: 'serverless' })
  }
}

/** Runs of a call after errors of its function, when neither options nor config give a RetryingFunctionExecutor a number. */
const DEFAULT_USER_RETRIES = 3

/** A FunctionExecutor whose calls are run again after errors of the function too, three times unless told otherwise. */
export class RetryingFunctionExecutor extends FunctionExecutor {
  constructor(options: ExecutorOptions = {}) {
    super(options, { className: 'RetryingFunctionExecutor', userRetries: DEFAULT_USER_RETRIES })
  }
}
