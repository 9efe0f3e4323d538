/**
 * How the line begins that a worker writes to its standard error before it ends itself because a call is over its
 * timeout. Backends look for it in the platform's log to tell a timeout from a crash.
 */
export const TIMEOUT_MARK = 'lithops: call over its timeout'
