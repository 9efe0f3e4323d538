import type { ExecutionsClient, JobsClient, ServicesClient, TasksClient } from '@google-cloud/run'
import { pause } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import type { GoogleAccount } from './google-account.ts'
import { again } from './google-requests.ts'
import { hasCode } from './vendor-errors.ts'

/** Looks at an operation: at first soon, as stopping and small changes take a second, then less often. */
const FIRST_LOOK_MS = 250
const MOST_LOOK_MS = 2_000
/** A request of the API that takes longer is not answered any more. */
const REQUEST_MS = 60_000
/** No second try by the client itself: `again` does it, with pauses of our own. */
export const ONCE = { retry: null } as never
export const PAGES = { retry: null, autoPaginate: false } as never

/** What operations of the official client have, as far as it is used here. */
export interface Operation {
  readonly latestResponse: {
    readonly done?: boolean | null
    readonly metadata?: { readonly value?: unknown } | null
  }
  getOperation(): Promise<unknown>
}

interface Clients {
  readonly ServicesClient: ServicesClient
  readonly JobsClient: JobsClient
  readonly ExecutionsClient: ExecutionsClient
  readonly TasksClient: TasksClient
}

/**
 * The official clients of Cloud Run's API, which are loaded when the first of them is needed. They speak REST: gRPC would be loaded
 * and connected for a handful of requests.
 */
export class RunClients {
  readonly #account: GoogleAccount
  readonly #settings: Pick<CloudRunSettings, 'region' | 'endpoint'>
  readonly #clients = new Map<keyof Clients, Promise<Clients[keyof Clients]>>()

  constructor(account: GoogleAccount, settings: Pick<CloudRunSettings, 'region' | 'endpoint'>) {
    this.#account = account
    this.#settings = settings
  }

  /** `projects/p/locations/r`. */
  async parent(): Promise<string> {
    return `projects/${await this.#account.project()}/locations/${this.#settings.region}`
  }

  /** One of each kind. */
  get<Kind extends keyof Clients>(kind: Kind): Promise<Clients[Kind]> {
    let client = this.#clients.get(kind)
    if (client === undefined) {
      client = this.#connect(kind)
      this.#clients.set(kind, client)
    }
    return client as Promise<Clients[Kind]>
  }

  /**
   * Asks the API once; again with another token where it refused that. The official client takes no signal, waits for ever, and
   * keeps a token that was withdrawn until its hour is up.
   */
  async ask<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    try {
      return await this.#within(signal, act())
    } catch (error) {
      if (!hasCode(error, 'UNAUTHENTICATED')) throw error
      await this.#account.refuseAccessToken()
      return this.#within(signal, act())
    }
  }

  #within<T>(signal: AbortSignal | undefined, asked: Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(REQUEST_MS)
    const ends = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(ends.reason)
      ends.addEventListener('abort', onAbort, { once: true })
      if (ends.aborted) onAbort()
      asked.then(resolve, reject).finally(() => ends.removeEventListener('abort', onAbort))
    })
  }

  /** Resolves when the platform has done it, or rejects with why it cannot. */
  async finished(operation: Operation, signal: AbortSignal | undefined): Promise<void> {
    for (let lookMs = FIRST_LOOK_MS; operation.latestResponse.done !== true; lookMs *= 1.4) {
      await pause(Math.min(lookMs, MOST_LOOK_MS), signal)
      await again(signal, () => this.ask(signal, () => operation.getOperation()))
    }
    // of one that had failed from the start, this says why
    await operation.getOperation()
  }

  /** Frees connections. May be called twice. */
  async close(): Promise<void> {
    const clients = await Promise.all([...this.#clients.values()].map(one => one.catch(() => undefined)))
    await Promise.all(clients.map(client => client?.close()))
  }

  async #connect(kind: keyof Clients): Promise<Clients[keyof Clients]> {
    const library = await import('@google-cloud/run')
    const { endpoint } = this.#settings
    const place =
      endpoint === undefined
        ? {}
        : {
            apiEndpoint: endpoint.hostname,
            port: Number(endpoint.port) || (endpoint.protocol === 'http:' ? 80 : 443),
            protocol: endpoint.protocol.replace(/:$/, ''),
          }
    return new library[kind]({ ...place, fallback: true, auth: (await this.#account.auth()) as never })
  }
}
