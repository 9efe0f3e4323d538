import type { DeployedImage } from '@lithops/container-runtime'
import {
  type CleanOptions,
  type DeleteOptions,
  forEachAtOnce,
  pause,
  type RuntimeListing,
  type RuntimeSpec,
} from '@lithops/core/driver'
import type { Cluster } from './cluster.ts'
import { factsIn, SELECTOR_OF_ALL, SERVICE_LABEL, secretName, selectorOf } from './names.ts'
import { detailsOf, imageOf, type KnativeService } from './objects.ts'
import { attempt, hasStatus } from './vendor-errors.ts'

const REMOVALS_AT_ONCE = 8
const LOOK_AGAIN_MS = 200
/** Workers are given their grace to end calls that run; then they are gone. */
const PODS_GONE_MS = 60_000

interface DeployedService extends RuntimeListing {
  readonly memoryMiB: number
}

/** What was removed, or would be. */
export interface Removed {
  readonly services: readonly string[]
  readonly secrets: readonly string[]
  /** Images that the services stood on. */
  readonly images: readonly DeployedImage[]
}

/** What this user has deployed, and how it is removed: nothing of other users, and nothing of other tools. */
export class Inventory {
  readonly #cluster: Cluster
  readonly #user: string

  constructor(cluster: Cluster, user: string) {
    this.#cluster = cluster
    this.#user = user
  }

  async services(signal?: AbortSignal): Promise<DeployedService[]> {
    return (await this.#list(selectorOf(this.#user), signal)).flatMap(service => {
      const { metadata } = service
      const facts = factsIn(metadata.annotations)
      if (facts === undefined || metadata.deletionTimestamp !== undefined) return []
      const { runtime: name, version, memoryMiB, functions } = facts
      const brought = functions.length === 0 ? {} : { functions }
      return [
        { name, version, memoryMiB, workerName: metadata.name, ...brought, details: detailsOf(service) },
      ]
    })
  }

  /** What services of any user and of Lithops stand on, but for these. */
  async imagesBeside(services: readonly string[], signal?: AbortSignal): Promise<readonly DeployedImage[]> {
    const all = await this.#list(SELECTOR_OF_ALL, signal)
    return imagesOf(all.filter(({ metadata }) => !services.includes(metadata.name)))
  }

  /** Removes all services of one runtime and memory, or one of them, with their secrets. */
  async removeRuntime(
    { name, memoryMiB }: RuntimeSpec,
    { workerName, signal }: Omit<DeleteOptions, 'isReplaced'> = {},
  ): Promise<Removed> {
    const all = await this.#list(selectorOf(this.#user), signal)
    const mine = all.filter(({ metadata }) => {
      const facts = factsIn(metadata.annotations)
      return (
        facts?.runtime === name &&
        (memoryMiB === undefined || facts.memoryMiB === memoryMiB) &&
        (workerName === undefined || metadata.name === workerName)
      )
    })
    const services = mine.map(({ metadata }) => metadata.name)
    await this.#each(services, one => this.#removeService(one, signal))
    return { services, secrets: services.map(secretName), images: imagesOf(mine) }
  }

  /** Removes services, their secrets, and pull secrets. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<Removed> {
    const mine = (await this.#list(selectorOf(this.#user), signal)).filter(
      ({ metadata }) => factsIn(metadata.annotations) !== undefined,
    )
    const services = mine
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name)
    const secrets = await attempt('listing secrets', signal, async () =>
      (await this.#cluster.listSecrets(selectorOf(this.#user), { signal })).flatMap(
        ({ metadata }) => metadata?.name ?? [],
      ),
    )
    if (!dryRun) {
      await this.#each(services, name => this.#removeService(name, signal))
      await this.#each(secrets, name =>
        attempt(`removing the secret ${name}`, signal, () => this.#cluster.deleteSecret(name, { signal })),
      )
      await this.#each(services, name => this.#waitUntilGone(name, signal))
    }
    return { services, secrets, images: imagesOf(mine) }
  }

  #list(selector: string, signal: AbortSignal | undefined): Promise<readonly KnativeService[]> {
    return attempt('listing services', signal, () => this.#cluster.listServices(selector, { signal }))
  }

  async #removeService(name: string, signal: AbortSignal | undefined): Promise<void> {
    await attempt(`removing the service ${name}`, signal, async () => {
      await this.#cluster.deleteService(name, { signal })
      await this.#cluster.deleteSecret(secretName(name), { signal })
    })
  }

  /** So that nothing is left when `clean` has ended. What takes longer than its grace is the cluster's to end. */
  async #waitUntilGone(name: string, signal: AbortSignal | undefined): Promise<void> {
    const endMs = performance.now() + PODS_GONE_MS
    await attempt(`waiting for the end of the service ${name}`, signal, async () => {
      for (;;) {
        const service = await this.#cluster.findService(name, { signal })
        const hasPods = service !== undefined || (await this.#hasPods(name, signal))
        if (!hasPods || performance.now() > endMs) return
        await pause(LOOK_AGAIN_MS, signal)
      }
    })
  }

  /** Who may not look at pods is not told of them. */
  async #hasPods(service: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.#cluster.listPods(`${SERVICE_LABEL}=${service}`, { signal })).length > 0
    } catch (error) {
      if (hasStatus(error, 403)) return false
      throw error
    }
  }

  #each(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
    return forEachAtOnce(names, REMOVALS_AT_ONCE, act)
  }
}

function imagesOf(services: readonly KnativeService[]): readonly DeployedImage[] {
  return services.flatMap(service => {
    const image = imageOf(service)
    const runtime = factsIn(service.metadata.annotations)?.runtime
    return image === undefined || runtime === undefined ? [] : [{ runtime, image }]
  })
}
