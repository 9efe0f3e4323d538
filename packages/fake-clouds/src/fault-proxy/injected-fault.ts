import type { Fault, FaultScope } from './faults.ts'

/** A fault that waits for its requests. */
export class InjectedFault {
  readonly fault: Fault
  readonly #scope: FaultScope
  #fitting = 0
  #strikes = 0

  constructor(fault: Fault, scope: FaultScope) {
    this.fault = fault
    this.#scope = scope
  }

  /** How often it has struck. A test that never met its fault proves nothing: assert this. */
  get strikes(): number {
    return this.#strikes
  }

  /** Whether it strikes this request; counts it. */
  meets(method: string, url: string): boolean {
    const { skip = 0, every = 1, times = 1 } = this.#scope
    if (this.#scope.method !== undefined && this.#scope.method !== method) return false
    if (this.#scope.url?.test(url) === false) return false
    const number = this.#fitting++ - skip
    if (number < 0 || (number + 1) % every !== 0 || this.#strikes >= times) return false
    this.#strikes++
    return true
  }
}
