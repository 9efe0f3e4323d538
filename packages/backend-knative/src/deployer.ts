import { type DriverLog, pause, RuntimeDeployError, type WorkerSecrets } from '@lithops/core/driver'
import type { Cluster } from './cluster.ts'
import { secretName } from './names.ts'
import { type KnativeService, type ServicePlan, secretsSeenBy, serviceOf } from './objects.ts'
import { waitUntilReady } from './readiness.ts'
import { placeSecrets } from './secrets.ts'
import { attempt, hasStatus, isThere } from './vendor-errors.ts'

const CHANGE_ATTEMPTS = 12
const LOOK_AGAIN_MS = 200
/** The pods of a service that is removed may take their whole grace to end; the object itself goes sooner. */
const REMOVAL_MS = 120_000

export interface EnsureOptions {
  readonly secrets: readonly WorkerSecrets[]
  readonly log: DriverLog
  readonly signal?: AbortSignal | undefined
}

/** Makes services, and brings their secrets up to date, together with any number of other programs that do the same. */
export class Deployer {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /**
   * The service is there and ready, with these secrets, when it resolves to it.
   *
   * @throws RuntimeDeployError with the cluster's own reason
   */
  async ensure(plan: ServicePlan, { secrets, log, signal }: EnsureOptions): Promise<KnativeService> {
    const cluster = this.#cluster
    const { name, user } = plan
    const seen =
      secrets.length === 0
        ? undefined
        : await placeSecrets(cluster, { name: secretName(name), user }, secrets, { signal })
    let hasBroken = false
    return attempt(`deploying the service ${name}`, signal, async () => {
      for (let tries = 1; ; tries++) {
        const now = await cluster.findService(name, { signal })
        if (now?.metadata.deletionTimestamp !== undefined) {
          await this.#waitUntilGone(name, signal)
          continue
        }
        if (now !== undefined && (seen === undefined || secretsSeenBy(now) === seen)) {
          try {
            return await waitUntilReady(cluster, now, { signal })
          } catch (error) {
            signal?.throwIfAborted()
            // what somebody left broken is made anew, once: the reason may be gone
            if (hasBroken || !RuntimeDeployError.isInstance(error)) throw error
            hasBroken = true
            log.info(`${error.message} It is made anew.`)
            await cluster.deleteService(name, { signal })
            continue
          }
        }
        try {
          if (now === undefined) {
            log.info(`making the service ${name}`)
            // a program without secrets makes it anew where one with secrets has removed it
            const placed = seen ?? (await this.#placedBefore(name, signal))
            const made = await cluster.createService(serviceOf(plan, placed), { signal })
            return await this.#firstReady(made, signal)
          }
          log.debug(`the service ${name} is told of other secrets`)
          return await waitUntilReady(cluster, await this.#change(now, plan, seen, signal), { signal })
        } catch (error) {
          // another program was faster, or the old one is not quite gone
          const mayPass =
            isThere(error) || hasStatus(error, 409) || (now !== undefined && hasStatus(error, 404))
          if (!mayPass || tries >= CHANGE_ATTEMPTS) throw error
          await pause(LOOK_AGAIN_MS * (0.5 + Math.random()), signal)
        }
      }
    })
  }

  /** A service that was made here and does not become ready goes again: the next use finds nothing broken. */
  async #firstReady(made: KnativeService, signal: AbortSignal | undefined): Promise<KnativeService> {
    const { name } = made.metadata
    try {
      return await waitUntilReady(this.#cluster, made, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      await this.#cluster.deleteService(name).catch(() => {})
      await this.#cluster.deleteSecret(secretName(name)).catch(() => {})
      throw error
    }
  }

  /** Puts the template of the plan in the place of the one that is there. Annotations of the platform's own stay. */
  #change(
    now: KnativeService,
    plan: ServicePlan,
    seen: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KnativeService> {
    const { spec } = serviceOf(plan, seen)
    const { status: _, ...kept } = now
    return this.#cluster.replaceService({ ...kept, spec }, { signal })
  }

  async #placedBefore(name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    return (await this.#cluster.findSecret(secretName(name), { signal }))?.metadata?.resourceVersion
  }

  async #waitUntilGone(name: string, signal: AbortSignal | undefined): Promise<void> {
    const endMs = performance.now() + REMOVAL_MS
    while ((await this.#cluster.findService(name, { signal }))?.metadata.deletionTimestamp !== undefined) {
      if (performance.now() > endMs)
        throw new RuntimeDeployError(
          `The service ${name} is being removed, and was still there after ${REMOVAL_MS / 1000} s: a finalizer holds it. ` +
            `\`kubectl describe ksvc ${name}\` tells which.`,
          { isRetryable: true, details: { serviceName: name } },
        )
      await pause(LOOK_AGAIN_MS, signal)
    }
  }
}
