import type { ThrottleReason } from './lambda/throttling.ts'

/** What this cloud does to a request instead of merely answering it. */
export type AwsFault =
  /** Answers an error in the service's form; nothing is done. */
  | {
      readonly kind: 'error'
      readonly status: number
      readonly code: string
      readonly message: string
      readonly headers?: Readonly<Record<string, string>>
      readonly fields?: Readonly<Record<string, unknown>>
    }
  /** Cuts the connection at once; nothing is done. */
  | { readonly kind: 'refuse' }
  /** Does what was asked, and cuts the connection in place of the answer. */
  | { readonly kind: 'loseReply' }
  /** Waits before anything is done. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** For Invoke: kills all processes of the execution environment that long after the function began. */
  | { readonly kind: 'killEnvironment'; readonly afterMs: number }
  /** For asynchronous invocations: the event is delivered so many more times, with the same request id. */
  | { readonly kind: 'duplicate'; readonly copies: number }

/** Which requests a fault is for. Everything that is given must fit. */
export interface AwsFaultScope {
  /** E.g. 'Invoke'. Default: every operation. */
  readonly operation?: string
  readonly functionName?: string
  /** How many of the requests that fit are left in peace first. Default: 0. */
  readonly skip?: number
  /** Only each n-th of them. Default: 1, every one. */
  readonly every?: number
  /** How often it strikes. Default: 1; Infinity for always. */
  readonly times?: number
}

/** A fault that waits for its requests. */
export class InjectedAwsFault {
  readonly fault: AwsFault
  readonly #scope: AwsFaultScope
  #fitting = 0
  #strikes = 0

  constructor(fault: AwsFault, scope: AwsFaultScope) {
    this.fault = fault
    this.#scope = scope
  }

  /** How often it has struck. A test that never met its fault proves nothing: assert this. */
  get strikes(): number {
    return this.#strikes
  }

  /** Whether it strikes this request; counts it. */
  meets(operation: string, functionName: string | undefined): boolean {
    const { skip = 0, every = 1, times = 1 } = this.#scope
    if (this.#scope.operation !== undefined && this.#scope.operation !== operation) return false
    if (this.#scope.functionName !== undefined && this.#scope.functionName !== functionName) return false
    const number = this.#fitting++ - skip
    if (number < 0 || (number + 1) % every !== 0 || this.#strikes >= times) return false
    this.#strikes++
    return true
  }
}

export const awsFaults = {
  /** 429 of Lambda, with the reason that Lambda gives. */
  throttle: (
    reason: ThrottleReason = 'ConcurrentInvocationLimitExceeded',
    options: { readonly retryAfterS?: number } = {},
  ): AwsFault => ({
    kind: 'error',
    status: 429,
    code: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    fields: { Reason: reason, Type: 'User' },
    ...(options.retryAfterS !== undefined && { headers: { 'retry-after': String(options.retryAfterS) } }),
  }),
  /** 500, or another status above it, in Lambda's form. */
  serviceError: (status = 500): AwsFault => ({
    kind: 'error',
    status,
    code: 'ServiceException',
    message: 'An error occurred and the request cannot be processed.',
    fields: { Type: 'Service' },
  }),
  error: (status: number, code: string, message: string): AwsFault => ({
    kind: 'error',
    status,
    code,
    message,
  }),
  accessDenied: (message: string): AwsFault => ({
    kind: 'error',
    status: 403,
    code: 'AccessDeniedException',
    message,
  }),
  refuse: (): AwsFault => ({ kind: 'refuse' }),
  loseReply: (): AwsFault => ({ kind: 'loseReply' }),
  delay: (ms: number): AwsFault => ({ kind: 'delay', ms }),
  killEnvironment: (afterMs = 0): AwsFault => ({ kind: 'killEnvironment', afterMs }),
  duplicate: (copies = 1): AwsFault => ({ kind: 'duplicate', copies }),
}
