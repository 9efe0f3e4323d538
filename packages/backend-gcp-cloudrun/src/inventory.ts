import { type DeployedImage, shortDigest } from '@lithops/container-runtime'
import {
  type CleanOptions,
  type DeleteOptions,
  type DriverLog,
  forEachAtOnce,
  LithopsError,
  type RuntimeListing,
  type RuntimeSpec,
} from '@lithops/core/driver'
import type { ArtifactRegistry } from './artifact-registry.ts'
import { factsIn, imagePath, isOf, isOfAnybody, secretName, shortName } from './names.ts'
import type { ResourceApi, RunResource } from './resource-api.ts'
import type { ServiceSecrets } from './secrets.ts'
import { attempt } from './vendor-errors.ts'

/** The quota of writes is some 180 in a minute. */
const REMOVALS_AT_ONCE = 4

type Noun = 'service' | 'job'

interface DeployedRuntime extends RuntimeListing {
  readonly memoryMiB: number
  readonly noun: Noun
  /** That it stands on; undefined where the platform does not say so. */
  readonly image: string | undefined
}

/** What was removed, or would be. */
export interface Removed {
  /** Of services and jobs. */
  readonly workerNames: readonly string[]
  /** All of it, for people. */
  readonly texts: readonly string[]
  /** Images that services and jobs stood on. */
  readonly images: readonly DeployedImage[]
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
    const all = await this.#all(signal)
    return all
      .filter(({ workerName, labels }) => isOf(this.#parts.user, workerName, labels))
      .map(withoutLabels)
  }

  /** What services and jobs of any user of Lithops stand on, but for these. */
  async imagesBeside(names: readonly string[], signal?: AbortSignal): Promise<readonly DeployedImage[]> {
    return imagesOf((await this.#all(signal)).filter(({ workerName }) => !names.includes(workerName)))
  }

  /** Of all users. */
  async #all(signal: AbortSignal | undefined): Promise<(DeployedRuntime & Pick<RunResource, 'labels'>)[]> {
    const lists = this.#parts.apis.map((api, i) => this.#runtimesOf(api, { isOther: i > 0, signal }))
    return (await Promise.all(lists)).flat()
  }

  /** Removes all services and jobs of one runtime and memory, or one of them, with their secrets. */
  async removeRuntime(
    { name, memoryMiB }: RuntimeSpec,
    { workerName: only, signal }: Omit<DeleteOptions, 'isReplaced'> = {},
  ): Promise<Removed> {
    const mine = (await this.runtimes(signal)).filter(
      one =>
        one.name === name &&
        (memoryMiB === undefined || one.memoryMiB === memoryMiB) &&
        (only === undefined || one.workerName === only),
    )
    const names = mine.map(({ workerName }) => workerName)
    await forEachAtOnce(mine, REMOVALS_AT_ONCE, one => this.#remove(one, signal))
    const secrets = await this.#secrets(signal)
    const placed = names.map(secretName).filter(one => secrets.includes(one))
    await forEachAtOnce(placed, REMOVALS_AT_ONCE, one => this.#parts.secrets.remove(one, signal))
    return { workerNames: names, texts: names, images: imagesOf(mine) }
  }

  /** Removes services and jobs, their secrets, and the images of the runtime 'default' in Artifact Registry. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<Removed> {
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
    const texts = [
      ...runtimes.map(({ noun, workerName }) => (noun === 'job' ? `job ${workerName}` : workerName)),
      ...placed.map(name => `secret ${name}`),
      ...images.map(name => `images ${name}`),
    ]
    return { workerNames: runtimes.map(({ workerName }) => workerName), texts, images: imagesOf(runtimes) }
  }

  async #runtimesOf(
    api: ResourceApi<RunResource>,
    { isOther, signal }: { readonly isOther: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<(DeployedRuntime & Pick<RunResource, 'labels'>)[]> {
    const { noun } = api
    const all = await this.#list(api, { isOther, signal })
    return all.flatMap(resource => {
      const { labels, annotations, deleteTime } = resource
      const facts = factsIn(annotations)
      const isGone = deleteTime !== null && deleteTime !== undefined
      if (facts === undefined || isGone || !isOfAnybody(labels)) return []
      const { runtime: name, version, memoryMiB, functions } = facts
      const brought = functions.length === 0 ? {} : { functions }
      const details = detailsOf(resource, noun, api.imageOf(resource))
      const [workerName, image] = [shortName(resource.name), api.imageOf(resource)]
      return [{ name, version, memoryMiB, workerName, noun, image, labels, ...brought, details }]
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

/** What tells a service or a job from others of the same runtime and memory, for people. */
function detailsOf(
  { createTime }: RunResource,
  kind: Noun,
  image: string | undefined,
): Readonly<Record<string, string>> {
  const digest = shortDigest(image ?? '')
  const seconds = Number(createTime?.seconds ?? 0)
  return {
    kind,
    ...(digest === undefined ? {} : { image: digest }),
    ...(seconds === 0 ? {} : { deployed: new Date(seconds * 1000).toISOString().replace(/\.\d+/, '') }),
  }
}

function withoutLabels({
  labels: _,
  ...runtime
}: DeployedRuntime & Pick<RunResource, 'labels'>): DeployedRuntime {
  return runtime
}

function imagesOf(runtimes: readonly DeployedRuntime[]): readonly DeployedImage[] {
  return runtimes.flatMap(({ name: runtime, image }) => (image === undefined ? [] : [{ runtime, image }]))
}

function isDenied(error: unknown): boolean {
  return LithopsError.isInstance(error) && error.details.reason === 'PERMISSION_DENIED'
}
