import { again, type CallOptions } from './google-requests.ts'
import type { ResourceApi, RunService } from './resource-api.ts'
import { ONCE, PAGES, type RunClients } from './run-clients.ts'
import { hasCode } from './vendor-errors.ts'

/** Services of one project and region. */
export class ServiceApi implements ResourceApi<RunService> {
  readonly noun = 'service'
  readonly #clients: RunClients

  constructor(clients: RunClients) {
    this.#clients = clients
  }

  async find(name: string, { signal }: CallOptions = {}): Promise<RunService | undefined> {
    const full = await this.#nameOf(name)
    try {
      const [service] = await again(signal, async () => {
        const client = await this.#clients.get('ServicesClient')
        return this.#clients.ask(signal, () => client.getService({ name: full }, ONCE))
      })
      return service
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  async list({ signal }: CallOptions = {}): Promise<readonly RunService[]> {
    const parent = await this.#clients.parent()
    return again(signal, async () => {
      const client = await this.#clients.get('ServicesClient')
      return this.#clients.ask(signal, async () => {
        const services: RunService[] = []
        for await (const service of client.listServicesAsync({ parent }, PAGES)) services.push(service)
        return services
      })
    })
  }

  async create(name: string, service: RunService, { signal }: CallOptions = {}): Promise<void> {
    const [parent, client] = [await this.#clients.parent(), await this.#clients.get('ServicesClient')]
    const [operation] = await again(signal, () =>
      this.#clients.ask(signal, () => client.createService({ parent, serviceId: name, service }, ONCE)),
    )
    await this.#clients.finished(operation, signal)
  }

  async update(service: RunService, { signal }: CallOptions = {}): Promise<void> {
    const client = await this.#clients.get('ServicesClient')
    const [operation] = await again(signal, () =>
      this.#clients.ask(signal, () => client.updateService({ service }, ONCE)),
    )
    await this.#clients.finished(operation, signal)
  }

  async remove(name: string, { signal }: CallOptions = {}): Promise<void> {
    const [full, client] = [await this.#nameOf(name), await this.#clients.get('ServicesClient')]
    try {
      const [operation] = await again(signal, () =>
        this.#clients.ask(signal, () => client.deleteService({ name: full }, ONCE)),
      )
      await this.#clients.finished(operation, signal)
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error
    }
  }

  imageOf({ template }: RunService): string | undefined {
    return template?.containers?.[0]?.image ?? undefined
  }

  /** It has an address. */
  isInPlace({ uri }: RunService): boolean {
    return (uri ?? '') !== ''
  }

  async #nameOf(name: string): Promise<string> {
    return `${await this.#clients.parent()}/services/${name}`
  }
}
