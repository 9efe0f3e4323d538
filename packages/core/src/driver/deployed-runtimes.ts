import type {
  DeployOptions,
  RuntimeMetadata,
  RuntimeSpec,
  WorkerDriver,
  WorkerSecrets,
} from './compute-backend.ts'

/** What a runtime is deployed with beside itself: of all `DeployOptions` since the start. */
export interface DeployedParts {
  readonly drivers: readonly WorkerDriver[]
  readonly secrets: readonly WorkerSecrets[]
}

/** A runtime of this program, as it is deployed. */
export type Deployed<Place> = Place & DeployedParts & { readonly metadata: RuntimeMetadata }

/** Deploys a runtime with these parts, or finds it deployed. */
export type DeployRuntime<Place> = (
  runtime: RuntimeSpec,
  parts: DeployedParts,
  options: DeployOptions,
) => Promise<Place & { readonly metadata: RuntimeMetadata }>

/**
 * Which runtimes a program has deployed, and where they are: what `deployRuntime` and `invoke` of a backend share. Each
 * runtime is deployed by one at a time, and what is gone is made again once for all who notice.
 *
 * @typeParam Place what the backend knows of a deployed runtime, such as the name of a service and the way to it
 */
export class DeployedRuntimes<Place extends object> {
  readonly #deployOne: DeployRuntime<Place>
  readonly #current = new Map<string, Deployed<Place>>()
  /** All activations of a job come with the same object. */
  readonly #keys = new WeakMap<RuntimeSpec, string>()
  readonly #queue = new Map<string, Promise<unknown>>()
  readonly #restoring = new Map<string, Promise<void>>()

  constructor(deployOne: DeployRuntime<Place>) {
    this.#deployOne = deployOne
  }

  /** Undefined when it was not deployed by this program. */
  of(runtime: RuntimeSpec): Deployed<Place> | undefined {
    return this.#current.get(this.#keyOf(runtime))
  }

  /** One after the other for each runtime: what the second needs besides is added to what the first has. */
  deploy(runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    const key = this.#keyOf(runtime)
    const deployed = (this.#queue.get(key) ?? Promise.resolve()).then(async () => {
      const before = this.#current.get(key)
      const drivers = union(before?.drivers ?? [], options.drivers ?? [], driver => driver.module)
      const secrets = union(before?.secrets ?? [], options.secrets ?? [], secret => secret.storageId)
      const place = await this.#deployOne(runtime, { drivers, secrets }, options)
      this.#current.set(key, { ...place, drivers, secrets })
      return place.metadata
    })
    this.#queue.set(
      key,
      deployed.catch(() => {}),
    )
    return deployed
  }

  /**
   * It is gone, or not where it was: `forget` is told, and it is deployed anew with all that it had. Once for all who notice
   * while that is under way; nothing for a runtime that was not deployed.
   */
  restore(runtime: RuntimeSpec, forget: (lost: Deployed<Place>) => void): Promise<void> {
    const key = this.#keyOf(runtime)
    const restoring = this.#restoring.get(key)
    if (restoring !== undefined) return restoring
    const before = this.#current.get(key)
    if (before === undefined) return Promise.resolve()
    forget(before)
    const restored = this.deploy(runtime, {})
      .then(() => {})
      .finally(() => this.#restoring.delete(key))
    this.#restoring.set(key, restored)
    return restored
  }

  /** Those that were removed are not deployed any more. */
  forget(isRemoved: (deployed: Deployed<Place>) => boolean): void {
    for (const [key, deployed] of this.#current) if (isRemoved(deployed)) this.#current.delete(key)
  }

  #keyOf(runtime: RuntimeSpec): string {
    let key = this.#keys.get(runtime)
    if (key === undefined) {
      const { name, memoryMiB, packages = [], functions = [] } = runtime
      const brought = packages.length === 0 ? '' : JSON.stringify(packages)
      key = [name, memoryMiB ?? '', brought, ...functions.map(({ hash }) => hash)].join('\n')
      this.#keys.set(runtime, key)
    }
    return key
  }
}

function union<T>(before: readonly T[], added: readonly T[], keyOf: (one: T) => string): T[] {
  const all = new Map(before.map(one => [keyOf(one), one]))
  for (const one of added) all.set(keyOf(one), one)
  return [...all.values()]
}
