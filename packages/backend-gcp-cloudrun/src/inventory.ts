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
import type { ResourceApi, RunResource } from './resource-api.ts'
import type { ServiceSecrets } from './secrets.ts'
import { attempt } from './vendor-errors.ts'

/** The quota of writes is some 180 in a minute. */
const REMOVALS_AT_ONCE = 4

type Noun = 'service' | 'job'

interface DeployedRuntime extends RuntimeListing {
  readonly memoryMiB: number
  readonly noun: Noun
}

export interface InventoryParts {
  /** Of the config's workload first: of the other one there may be some from before. */
  readonly apis: readonly ResourceApi<RunResource>[]
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

  async runtimes(signal?: AbortSignal): Promise<DeployedRuntime[]> {
    const lists = this.#parts.apis.map((api, i) => this.#runtimesOf(api, { isOther: i > 0, signal }))
    return (await Promise.all(lists)).flat()
  }

  /** Removes all services and jobs of one runtime and memory, with their secrets. Returns their names. */
  async removeRuntime({ name, memoryMiB }: RuntimeSpec, signal?: AbortSignal): Promise<string[]> {
    const mine = (await this.runtimes(signal)).filter(
      one => one.name === name && (memoryMiB === undefined || one.memoryMiB === memoryMiB),
    )
    const names = mine.map(({ workerName }) => workerName)
    await forEachAtOnce(mine, REMOVALS_AT_ONCE, one => this.#remove(one, signal))
    const secrets = await this.#secrets(signal)
    const placed = names.map(secretName).filter(one => secrets.includes(one))
    await forEachAtOnce(placed, REMOVALS_AT_ONCE, one => this.#parts.secrets.remove(one, signal))
    return names
  }

  /** Removes services and jobs, their secrets, and the images of the runtime 'default'. Returns what was, or would be, removed. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<string[]> {
    const { secrets, registry, user } = this.#parts
    const runtimes = await this.runtimes(signal)
    const placed = await this.#secrets(signal)
    const path = imagePath(user)
    const images = (await registry.hasPackage(path, signal)) ? [path] : []
    if (!dryRun) {
      await forEachAtOnce(runtimes, REMOVALS_AT_ONCE, one => this.#remove(one, signal))
      await forEachAtOnce(placed, REMOVALS_AT_ONCE, name => secrets.remove(name, signal))
      await forEachAtOnce(images, 1, name => registry.removePackage(name, signal))
    }
    return [
      ...runtimes.map(({ noun, workerName }) => (noun === 'job' ? `job ${workerName}` : workerName)),
      ...placed.map(name => `secret ${name}`),
      ...images.map(name => `images ${name}`),
    ]
  }

  async #runtimesOf(
    api: ResourceApi<RunResource>,
    { isOther, signal }: { readonly isOther: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<DeployedRuntime[]> {
    const { noun } = api
    const all = await this.#list(api, { isOther, signal })
    return all.flatMap(({ name: resource, labels, annotations, deleteTime }) => {
      const workerName = shortName(resource)
      const facts = factsIn(annotations)
      const isGone = deleteTime !== null && deleteTime !== undefined
      if (facts === undefined || isGone || !isOf(this.#parts.user, workerName, labels)) return []
      const { runtime: name, version, memoryMiB, functions } = facts
      return [
        { name, version, memoryMiB, workerName, noun, ...(functions.length === 0 ? {} : { functions }) },
      ]
    })
  }

  /** Who may not look at what the config does not use has made none, but another account of the same user may have. */
  async #list(
    api: ResourceApi<RunResource>,
    { isOther, signal }: { readonly isOther: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<readonly RunResource[]> {
    try {
      return await attempt(`listing ${api.noun}s`, signal, () => api.list({ signal }))
    } catch (error) {
      signal?.throwIfAborted()
      if (!isOther || !isDenied(error)) throw error
      this.#parts.log.debug(`${api.noun}s are not looked at: ${(error as Error).message}`)
      return []
    }
  }

  /** Who may not look at secrets has placed none, but another account of the same user may have. */
  async #secrets(signal: AbortSignal | undefined): Promise<readonly string[]> {
    try {
      return await this.#parts.secrets.list(signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isDenied(error)) throw error
      this.#parts.log.warn(`secrets of workers are left as they are: ${(error as Error).message}`)
      return []
    }
  }

  #remove({ noun, workerName }: DeployedRuntime, signal: AbortSignal | undefined): Promise<void> {
    return attempt(`removing the ${noun} ${workerName}`, signal, async () => {
      await this.#parts.apis.find(api => api.noun === noun)?.remove(workerName, { signal })
    })
  }
}

function isDenied(error: unknown): boolean {
  return LithopsError.isInstance(error) && error.details.reason === 'PERMISSION_DENIED'
}
