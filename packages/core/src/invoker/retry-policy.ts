import { CallOutOfMemoryError, CallTimeoutError, LithopsError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import type { RetryBudget } from '../job/job-options.ts'

/** Running out of memory uses up this much of the budget: it rarely goes away by itself. */
const OUT_OF_MEMORY_COST = 3
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000

/** Whether a call that met this error is run again. Charges the call's budgets. */
export function mayRunAgain(call: Call, error: unknown, budget: RetryBudget): boolean {
  if (CallTimeoutError.isInstance(error) || !LithopsError.isInstance(error)) {
    call.userFailures++
    return call.userFailures <= budget.user
  }
  if (!error.isRetryable) return false
  call.infrastructureFaults += CallOutOfMemoryError.isInstance(error) ? OUT_OF_MEMORY_COST : 1
  return call.infrastructureFaults <= budget.infrastructure
}

/** Pause before a refused activation is sent again: exponential, with jitter, or what the platform asked for. */
export function retryDelayMs(call: Call, error: unknown, random: () => number = Math.random): number {
  const asked = LithopsError.isInstance(error) ? error.details.retryAfterMs : undefined
  if (typeof asked === 'number') return asked
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(call.infrastructureFaults, 10))
  return longest * (0.5 + random() / 2)
}
