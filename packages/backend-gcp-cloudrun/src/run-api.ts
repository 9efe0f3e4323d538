import type { protos, ServicesClient } from '@google-cloud/run'
import { pause } from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import type { GoogleAccount } from './google-account.ts'
import { again, type CallOptions } from './google-requests.ts'
import { hasCode } from './vendor-errors.ts'

/** A service, as version 2 of the API has it. */
export type RunService = protos.google.cloud.run.v2.IService

/** Looks at an operation: at first soon, as stopping and small changes take a second, then less often. */
const FIRST_LOOK_MS = 250
const MOST_LOOK_MS = 2_000
/** A request of the API that takes longer is not answered any more. */
const REQUEST_MS = 60_000
/** No second try by the client itself: `again` does it, with pauses of our own. */
const ONCE = { retry: null } as never
const PAGES = { retry: null, autoPaginate: false } as never

/** What operations of the official client have, as far as it is used here. */
interface Operation {
  readonly latestResponse: { readonly done?: boolean | null }
  getOperation(): Promise<unknown>
}

/**
 * The few calls of Cloud Run's API that are needed, over the official client, which is loaded when the first of them is made.
 * It speaks REST: gRPC would be loaded and connected for a handful of requests.
 */
export class RunApi {
  readonly #account: GoogleAccount
  readonly #settings: Pick<CloudRunSettings, 'region' | 'endpoint'>
  #client: Promise<ServicesClient> | undefined

  constructor(account: GoogleAccount, settings: Pick<CloudRunSettings, 'region' | 'endpoint'>) {
    this.#account = account
    this.#settings = settings
  }

  /** `projects/p/locations/r`. */
  async parent(): Promise<string> {
    return `projects/${await this.#account.project()}/locations/${this.#settings.region}`
  }

  /** Undefined when there is none of that name. */
  async findService(name: string, { signal }: CallOptions = {}): Promise<RunService | undefined> {
    const full = await this.#nameOf(name)
    try {
      const [service] = await again(signal, async () => {
        const client = await this.#open()
        return this.#within(signal, client.getService({ name: full }, ONCE))
      })
      return service
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  /** Of the whole region and project. */
  async listServices({ signal }: CallOptions = {}): Promise<readonly RunService[]> {
    const parent = await this.parent()
    return again(signal, async () => {
      const client = await this.#open()
      const services: RunService[] = []
      const read = async () => {
        for await (const service of client.listServicesAsync({ parent }, PAGES)) services.push(service)
      }
      await this.#within(signal, read())
      return services
    })
  }

  /** Resolves when the platform has done it, or rejects with why it cannot. Refused with ALREADY_EXISTS where there is one, as also when it was asked again. */
  async createService(name: string, service: RunService, { signal }: CallOptions = {}): Promise<void> {
    const [parent, client] = [await this.parent(), await this.#open()]
    const [operation] = await again(signal, () =>
      this.#within(signal, client.createService({ parent, serviceId: name, service }, ONCE)),
    )
    await this.#finished(operation, signal)
  }

  /** With the `etag` that was read: refused with ABORTED or FAILED_PRECONDITION when somebody was faster. */
  async updateService(service: RunService, { signal }: CallOptions = {}): Promise<void> {
    const client = await this.#open()
    const [operation] = await again(signal, () =>
      this.#within(signal, client.updateService({ service }, ONCE)),
    )
    await this.#finished(operation, signal)
  }

  /** Resolves when it is gone. One that is not there is no error. */
  async deleteService(name: string, { signal }: CallOptions = {}): Promise<void> {
    const [full, client] = [await this.#nameOf(name), await this.#open()]
    try {
      const [operation] = await again(signal, () =>
        this.#within(signal, client.deleteService({ name: full }, ONCE)),
      )
      await this.#finished(operation, signal)
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error
    }
  }

  /** Frees connections. May be called twice. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    await client?.close()
  }

  async #finished(operation: Operation, signal: AbortSignal | undefined): Promise<void> {
    for (let lookMs = FIRST_LOOK_MS; operation.latestResponse.done !== true; lookMs *= 1.4) {
      await pause(Math.min(lookMs, MOST_LOOK_MS), signal)
      await again(signal, () => this.#within(signal, operation.getOperation()))
    }
    // of one that had failed from the start, this says why
    await operation.getOperation()
  }

  /** The official client takes no signal, and waits for ever. */
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

  async #nameOf(name: string): Promise<string> {
    return `${await this.parent()}/services/${name}`
  }

  #open(): Promise<ServicesClient> {
    this.#client ??= this.#connect()
    return this.#client
  }

  async #connect(): Promise<ServicesClient> {
    const { ServicesClient } = await import('@google-cloud/run')
    const { endpoint } = this.#settings
    const place =
      endpoint === undefined
        ? {}
        : {
            apiEndpoint: endpoint.hostname,
            port: Number(endpoint.port) || (endpoint.protocol === 'http:' ? 80 : 443),
            protocol: endpoint.protocol.replace(/:$/, ''),
          }
    return new ServicesClient({ ...place, fallback: true, auth: (await this.#account.auth()) as never })
  }
}
