import type { ServerResponse } from 'node:http'

/** What this cluster does to a request instead of merely answering it. */
export type KnativeFault =
  /** Answers so; nothing is done. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** Cuts the connection at once; nothing is done. */
  | { readonly kind: 'refuse' }
  /** Waits before anything is done. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** It runs, and the connection is cut in place of the answer. */
  | { readonly kind: 'loseReply' }
  /** The container that runs a request is killed so long after it was given it; that of a task, so long after its start. */
  | { readonly kind: 'killContainer'; readonly afterMs: number }
  /** The same, and its pod is removed. */
  | { readonly kind: 'removePod'; readonly afterMs: number }

/** Which requests a fault is for. Everything that is given must fit. */
export interface KnativeFaultScope {
  /** 'api': the cluster's own; 'service': activations, which are POST; 'task': instances of jobs. Default: 'service'. */
  readonly place?: 'api' | 'service' | 'task'
  /** For the API, e.g. 'create ksvc', 'list pods'. */
  readonly action?: string
  /** How many of the requests that fit are left in peace first. Default: 0. */
  readonly skip?: number
  /** Only each n-th of them. Default: 1, every one. */
  readonly every?: number
  /** How often it strikes. Default: 1; Infinity for always. */
  readonly times?: number
}

export interface FaultedRequest {
  readonly place: 'api' | 'service' | 'task'
  readonly action: string
  readonly name: string | undefined
}

/** A fault that waits for its requests. */
export class InjectedKnativeFault {
  readonly fault: KnativeFault
  readonly #scope: KnativeFaultScope
  #fitting = 0
  #strikes = 0

  constructor(fault: KnativeFault, scope: KnativeFaultScope) {
    this.fault = fault
    this.#scope = scope
  }

  /** How often it has struck. A test that never met its fault proves nothing: assert this. */
  get strikes(): number {
    return this.#strikes
  }

  /** Whether it strikes this request; counts it. */
  meets({ place, action }: FaultedRequest): boolean {
    const { skip = 0, every = 1, times = 1 } = this.#scope
    if ((this.#scope.place ?? 'service') !== place) return false
    if (this.#scope.action !== undefined && this.#scope.action !== action) return false
    const number = this.#fitting++ - skip
    if (number < 0 || (number + 1) % every !== 0 || this.#strikes >= times) return false
    this.#strikes++
    return true
  }
}

export type KnativeFaults = InjectedKnativeFault[]

/** The fault that strikes a request. */
export function faultFor(faults: KnativeFaults, request: FaultedRequest): KnativeFault | undefined {
  return faults.find(one => one.meets(request))?.fault
}

/** Answers in the place of the API where a fault says so. Resolves to whether it did. */
export function strike(
  faults: KnativeFaults,
  request: FaultedRequest,
  response: ServerResponse,
): Promise<boolean> {
  return answerInstead(faultFor(faults, request), response)
}

/** Answers in the place of the API where this fault does. Resolves to whether it did. */
export async function answerInstead(
  fault: KnativeFault | undefined,
  response: ServerResponse,
): Promise<boolean> {
  switch (fault?.kind) {
    case 'answer':
      response.writeHead(fault.status, { 'content-type': 'application/json' })
      response.end(fault.body)
      return true
    case 'refuse':
      response.destroy()
      return true
    case 'delay':
      await new Promise(done => setTimeout(done, fault.ms))
      return false
    default:
      return false
  }
}

export const knativeFaults = {
  /** The queue before a worker is full: nothing ran. */
  queueFull: (): KnativeFault => ({ kind: 'answer', status: 503, body: 'pending request queue full' }),
  /** The activator has too many requests to hold: nothing ran. */
  activatorOverload: (): KnativeFault => ({ kind: 'answer', status: 503, body: 'activator overload' }),
  /** Envoy finds no worker: nothing ran. */
  noHealthyUpstream: (): KnativeFault => ({ kind: 'answer', status: 503, body: 'no healthy upstream' }),
  /** Envoy lost the worker that it had sent the request to. */
  upstreamReset: (): KnativeFault => ({
    kind: 'answer',
    status: 503,
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
  }),
  /** No worker came up in time. */
  activatorTimeout: (): KnativeFault => ({ kind: 'answer', status: 504, body: 'activator request timeout' }),
  /** The gateway does not know of the route. */
  noRoute: (): KnativeFault => ({ kind: 'answer', status: 404, body: '' }),
  answer: (status: number, body: string): KnativeFault => ({ kind: 'answer', status, body }),
  refuse: (): KnativeFault => ({ kind: 'refuse' }),
  loseReply: (): KnativeFault => ({ kind: 'loseReply' }),
  delay: (ms: number): KnativeFault => ({ kind: 'delay', ms }),
  killContainer: (afterMs = 0): KnativeFault => ({ kind: 'killContainer', afterMs }),
  removePod: (afterMs = 0): KnativeFault => ({ kind: 'removePod', afterMs }),
}
