import {
  type CleanOptions,
  type DriverLog,
  forEachAtOnce,
  LithopsError,
  type RuntimeListing,
  type RuntimeSpec,
} from '@lithops/core/driver'
import type { ArtifactRegistry } from './artifact-registry.ts'
import { factsIn, imagePath, isOf, secretName, shortName } from './names.ts'
import type { RunApi } from './run-api.ts'
import type { ServiceSecrets } from './secrets.ts'
import { attempt } from './vendor-errors.ts'

/** The quota of writes is some 180 in a minute. */
const REMOVALS_AT_ONCE = 4

interface DeployedService extends RuntimeListing {
  readonly memoryMiB: number
}

export interface InventoryParts {
  readonly api: RunApi
  readonly secrets: ServiceSecrets
  readonly registry: ArtifactRegistry
  readonly user: string
  readonly log: DriverLog
}

/** What this user has deployed, and how it is removed: nothing of other users, and nothing of other tools. */
export class Inventory {
  readonly #parts: InventoryParts

  constructor(parts: InventoryParts) {
    this.#parts = parts
  }

  async services(signal?: AbortSignal): Promise<DeployedService[]> {
    const { api, user } = this.#parts
    const all = await attempt('listing services', signal, () => api.listServices({ signal }))
    return all.flatMap(({ name: resource, labels, annotations, deleteTime }) => {
      const workerName = shortName(resource)
      const facts = factsIn(annotations)
      const isGone = deleteTime !== null && deleteTime !== undefined
      if (facts === undefined || isGone || !isOf(user, workerName, labels)) return []
      const { runtime: name, version, memoryMiB, functions } = facts
      return [{ name, version, memoryMiB, workerName, ...(functions.length === 0 ? {} : { functions }) }]
    })
  }

  /** Removes all services of one runtime and memory, with their secrets. Returns the names of the services. */
  async removeRuntime({ name, memoryMiB }: RuntimeSpec, signal?: AbortSignal): Promise<string[]> {
    const mine = (await this.services(signal)).filter(
      one => one.name === name && (memoryMiB === undefined || one.memoryMiB === memoryMiB),
    )
    const names = mine.map(({ workerName }) => workerName)
    await forEachAtOnce(names, REMOVALS_AT_ONCE, one => this.#removeService(one, signal))
    const secrets = await this.#secrets(signal)
    const placed = names.map(secretName).filter(one => secrets.includes(one))
    await forEachAtOnce(placed, REMOVALS_AT_ONCE, one => this.#parts.secrets.remove(one, signal))
    return names
  }

  /** Removes services, their secrets, and the images of the runtime 'default'. Returns what was, or would be, removed. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<string[]> {
    const { secrets, registry, user } = this.#parts
    const services = (await this.services(signal)).map(({ workerName }) => workerName)
    const placed = await this.#secrets(signal)
    const path = imagePath(user)
    const images = (await registry.hasPackage(path, signal)) ? [path] : []
    if (!dryRun) {
      await forEachAtOnce(services, REMOVALS_AT_ONCE, name => this.#removeService(name, signal))
      await forEachAtOnce(placed, REMOVALS_AT_ONCE, name => secrets.remove(name, signal))
      await forEachAtOnce(images, 1, name => registry.removePackage(name, signal))
    }
    return [...services, ...placed.map(name => `secret ${name}`), ...images.map(name => `images ${name}`)]
  }

  /** Who may not look at secrets has placed none, but another account of the same user may have. */
  async #secrets(signal: AbortSignal | undefined): Promise<readonly string[]> {
    try {
      return await this.#parts.secrets.list(signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (!LithopsError.isInstance(error) || error.details.reason !== 'PERMISSION_DENIED') throw error
      this.#parts.log.warn(`secrets of workers are left as they are: ${error.message}`)
      return []
    }
  }

  #removeService(name: string, signal: AbortSignal | undefined): Promise<void> {
    return attempt(`removing the service ${name}`, signal, () =>
      this.#parts.api.deleteService(name, { signal }),
    )
  }
}
