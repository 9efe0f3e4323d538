/** What the proxy does to a request instead of merely passing it on. */
export type Fault =
  /** Answers by itself; the service sees nothing. The request's body is read first. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** Passes that many bytes of the request's body on and cuts both connections. */
  | { readonly kind: 'cutRequest'; readonly afterBytes: number }
  /** Passes that many bytes of the answer's body back and cuts both connections; with 0 the head still arrives. */
  | { readonly kind: 'cutResponse'; readonly afterBytes: number }
  /** Passes that many bytes of the answer's body back and then nothing, with the connection left open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The service does its work, and the client never learns of it: the connection is cut in place of the answer. */
  | { readonly kind: 'loseAnswer' }
  /** Cuts the connection at once; the service sees nothing. */
  | { readonly kind: 'refuse' }
  /** Waits before it passes the request on. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Passes the request on and replaces headers of the answer, e.g. `date` for a clock that is wrong. */
  | { readonly kind: 'changeAnswer'; readonly headers: Readonly<Record<string, string>> }

/** Which requests a fault is for. Everything that is given must fit. */
export interface FaultScope {
  readonly method?: string
  /** Looked for in path and query as the client sent them, percent-encoded. */
  readonly url?: RegExp
  /** How many of the requests that fit are left in peace first. Default: 0. */
  readonly skip?: number
  /** Only each n-th of them. Default: 1, every one. */
  readonly every?: number
  /** How often it strikes. Default: 1; Infinity for always. */
  readonly times?: number
}

export const answer = (
  status: number,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): Fault => ({ kind: 'answer', status, ...options })
export const cutRequest = (afterBytes: number): Fault => ({ kind: 'cutRequest', afterBytes })
export const cutResponse = (afterBytes: number): Fault => ({ kind: 'cutResponse', afterBytes })
export const stall = (afterBytes: number): Fault => ({ kind: 'stall', afterBytes })
export const loseAnswer = (): Fault => ({ kind: 'loseAnswer' })
export const refuse = (): Fault => ({ kind: 'refuse' })
export const delay = (ms: number): Fault => ({ kind: 'delay', ms })
/** The service's clock, as its answers tell it, is off by that much. */
export const skewedClock = (offsetMs: number): Fault => ({
  kind: 'changeAnswer',
  headers: { date: new Date(Date.now() + offsetMs).toUTCString() },
})
