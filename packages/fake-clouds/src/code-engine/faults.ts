/** What this cloud does to a request, or an instance, instead of merely serving it. */
export type CodeEngineFault =
  /** Answers so; nothing is done. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** Cuts the connection at once; nothing is done. */
  | { readonly kind: 'refuse' }
  /** Waits before anything is done. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** It is done, and the connection is cut in place of the answer. */
  | { readonly kind: 'loseAnswer' }
  /** An instance of a job run is killed so long after its start, without a word; `reason` is what the platform says of it. */
  | { readonly kind: 'killInstance'; readonly afterMs: number; readonly reason?: string }

/** Which requests or instances a fault is for. Everything that is given must fit. */
export interface CodeEngineFaultScope {
  /** Of the API, such as 'POST job_runs', 'GET job_runs/NAME'; of instances, always 'instance'. */
  readonly action?: string
  /** How many that fit are left in peace first. Default: 0. */
  readonly skip?: number
  /** Only each n-th of them. Default: 1, every one. */
  readonly every?: number
  /** How often it strikes. Default: 1; Infinity for always. */
  readonly times?: number
}

/** A fault that waits for its requests. */
export class InjectedCodeEngineFault {
  readonly fault: CodeEngineFault
  readonly #scope: CodeEngineFaultScope
  #fitting = 0
  #strikes = 0

  constructor(fault: CodeEngineFault, scope: CodeEngineFaultScope) {
    this.fault = fault
    this.#scope = scope
  }

  /** How often it has struck. A test that never met its fault proves nothing: assert this. */
  get strikes(): number {
    return this.#strikes
  }

  /** Whether it strikes; counts it. */
  meets(action: string): boolean {
    const { skip = 0, every = 1, times = 1 } = this.#scope
    if ((this.fault.kind === 'killInstance') !== (action === 'instance')) return false
    if (this.#scope.action !== undefined && this.#scope.action !== action) return false
    const number = this.#fitting++ - skip
    if (number < 0 || (number + 1) % every !== 0 || this.#strikes >= times) return false
    this.#strikes++
    return true
  }
}

export const codeEngineFaults = {
  answer: (status: number, code = 'error', message = 'It did not work.', headers = {}): CodeEngineFault => ({
    kind: 'answer',
    status,
    body: JSON.stringify({ errors: [{ code, message }], trace: 'stand-in', status_code: status }),
    headers,
  }),
  /** Too many requests in a short time. */
  tooMany: (retryAfterS = 0): CodeEngineFault =>
    codeEngineFaults.answer(
      429,
      'rate_limited',
      'Slow down.',
      retryAfterS > 0 ? { 'retry-after': `${retryAfterS}` } : {},
    ),
  refuse: (): CodeEngineFault => ({ kind: 'refuse' }),
  delay: (ms: number): CodeEngineFault => ({ kind: 'delay', ms }),
  loseAnswer: (): CodeEngineFault => ({ kind: 'loseAnswer' }),
  killInstance: (afterMs = 0): CodeEngineFault => ({ kind: 'killInstance', afterMs }),
  /** Its machine is needed for something else. The word is that of Kubernetes: IBM's list of reasons is not complete. */
  evictInstance: (afterMs = 0): CodeEngineFault => ({ kind: 'killInstance', afterMs, reason: 'Evicted' }),
}
