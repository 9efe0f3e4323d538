import {
  type CleanOptions,
  forEachAtOnce,
  pause,
  type RuntimeListing,
  type RuntimeSpec,
} from '@lithops/core/driver'
import type { Cluster } from './cluster.ts'
import { factsIn, SERVICE_LABEL, secretName, selectorOf } from './names.ts'
import { attempt } from './vendor-errors.ts'

const REMOVALS_AT_ONCE = 8
const LOOK_AGAIN_MS = 200
/** Workers are given their grace to end calls that run; then they are gone. */
const PODS_GONE_MS = 60_000

interface DeployedService extends RuntimeListing {
  readonly memoryMiB: number
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
    const all = await attempt('listing services', signal, () =>
      this.#cluster.listServices(selectorOf(this.#user), { signal }),
    )
    return all.flatMap(({ metadata }) => {
      const facts = factsIn(metadata.annotations)
      if (facts === undefined || metadata.deletionTimestamp !== undefined) return []
      const { runtime: name, version, memoryMiB, functions } = facts
      const brought = functions.length === 0 ? {} : { functions }
      return [{ name, version, memoryMiB, workerName: metadata.name, ...brought }]
    })
  }

  /** Removes all services of one runtime and memory, with their secrets. Returns the names of the services. */
  async removeRuntime({ name, memoryMiB }: RuntimeSpec, signal?: AbortSignal): Promise<string[]> {
    const mine = (await this.services(signal)).filter(
      one => one.name === name && (memoryMiB === undefined || one.memoryMiB === memoryMiB),
    )
    const names = mine.map(({ workerName }) => workerName)
    await this.#each(names, one => this.#removeService(one, signal))
    return names
  }

  /** Removes services, their secrets, and pull secrets. Returns what was, or would be, removed. */
  async clean({ dryRun = false, signal }: CleanOptions): Promise<string[]> {
    const services = (await this.services(signal)).map(({ workerName }) => workerName)
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
    return [...services, ...secrets.map(name => `secret ${name}`)]
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
        const pods = await this.#cluster.listPods(`${SERVICE_LABEL}=${name}`, { signal })
        if ((service === undefined && pods.length === 0) || performance.now() > endMs) return
        await pause(LOOK_AGAIN_MS, signal)
      }
    })
  }

  #each(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
    return forEachAtOnce(names, REMOVALS_AT_ONCE, act)
  }
}
