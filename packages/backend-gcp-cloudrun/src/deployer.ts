import {
  type DriverLog,
  LithopsError,
  pause,
  RuntimeDeployError,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { CallOptions } from './google-requests.ts'
import type { WorkerLogs } from './logs.ts'
import { secretName } from './names.ts'
import type { RuntimePlan } from './objects.ts'
import { notReady, waitUntilReady } from './readiness.ts'
import type { ResourceApi, RunResource } from './resource-api.ts'
import type { ServiceSecrets } from './secrets.ts'
import { attempt, failureOf, hasCode, quotaIn } from './vendor-errors.ts'

const CHANGE_ATTEMPTS = 12
const LOOK_AGAIN_MS = 300
/** What may read a secret takes its time to be known. From: "Access change propagation" of the IAM documentation, two minutes. */
const ACCESS_MS = 120_000
const ACCESS_PAUSE_MS = 1_500
/** A name that is being removed is free again after some seconds. */
const REMOVAL_MS = 120_000

export interface EnsureOptions {
  readonly secrets: readonly WorkerSecrets[]
  readonly log: DriverLog
  readonly signal?: AbortSignal | undefined
}

export interface DeployerOptions<Resource extends RunResource> {
  readonly api: ResourceApi<Resource>
  readonly secrets: ServiceSecrets
  readonly logs: WorkerLogs
  /**
   * What a plan comes to.
   *
   * @param secretVersion of the secret with the storages' keys; undefined where there is none
   */
  readonly objectOf: (plan: RuntimePlan, secretVersion: string | undefined) => Resource
  /** The version of the secret that its workers see; undefined where they have none. */
  readonly secretsSeenBy: (resource: Resource) => string | undefined
  /** Versions that are used beside that one, as by executions that run. Absent: none. */
  readonly secretsInUse?: (name: string, options: CallOptions) => Promise<readonly string[]>
  /** Before one is made, and when it was refused for want of quota (`isFull`): how many were removed. Absent: nothing. */
  readonly makeRoom?: (options: CallOptions & { readonly isFull?: boolean }) => Promise<number>
}

/**
 * Makes services, or jobs, and brings their secrets up to date, together with any number of other programs that do the same.
 */
export class Deployer<Resource extends RunResource> {
  readonly #options: DeployerOptions<Resource>

  constructor(options: DeployerOptions<Resource>) {
    this.#options = options
  }

  /**
   * It is there and ready, with these secrets, when it resolves to it.
   *
   * @throws RuntimeDeployError with the platform's own reason
   */
  async ensure(plan: RuntimePlan, { secrets, log, signal }: EnsureOptions): Promise<Resource> {
    const { name, settings } = plan
    const { serviceAccount } = settings
    const { api, logs, objectOf } = this.#options
    const wanted =
      secrets.length === 0
        ? undefined
        : await this.#options.secrets.place(secretName(name), secrets, { serviceAccount, signal })
    let hasBroken = false
    const accessEndMs = performance.now() + (wanted === undefined ? 0 : ACCESS_MS)
    return attempt(`deploying the ${api.noun} ${name}`, signal, async () => {
      for (let tries = 1; ; tries++) {
        const now = await api.find(name, { signal })
        if (now !== undefined && isBeingRemoved(now)) {
          await this.#waitUntilGone(name, signal)
          continue
        }
        try {
          if (now === undefined) {
            log.info(`making the ${api.noun} ${name}`)
            const version = wanted ?? (await this.#placedBefore(name, signal))
            return await this.#make(plan, version, { keepsSecret: performance.now() < accessEndMs, signal })
          }
          if (wanted !== undefined && !this.#sees(now, wanted)) {
            log.debug(`the ${api.noun} ${name} is told of other secrets`)
            await api.update(changed(objectOf(plan, wanted), now), { signal })
            const ready = await waitUntilReady(api, name, { signal, logs })
            await this.#tidySecrets(ready, name, { log, signal })
            return ready
          }
          return await waitUntilReady(api, name, { signal, logs })
        } catch (error) {
          signal?.throwIfAborted()
          if (isWithoutAccess(error) && performance.now() < accessEndMs) {
            log.debug(`the workers of ${name} may not read its secret yet`)
            if (now !== undefined) await api.remove(name, { signal })
            await pause(ACCESS_PAUSE_MS, signal)
            continue
          }
          // what somebody left broken is made anew, once: the reason may be gone
          if (now !== undefined && !hasBroken && RuntimeDeployError.isInstance(error)) {
            hasBroken = true
            log.info(`${error.message} It is made anew.`)
            await api.remove(name, { signal })
            continue
          }
          // another program was faster, or the old one is not quite gone
          const mayPass = hasCode(error, 'ALREADY_EXISTS', 'ABORTED', 'FAILED_PRECONDITION', 'NOT_FOUND')
          if (!mayPass || tries >= CHANGE_ATTEMPTS) throw error
          await pause(LOOK_AGAIN_MS * (0.5 + Math.random()), signal)
        }
      }
    })
  }

  /** What was made here and does not become ready goes again: the next use finds nothing broken. */
  async #make(
    plan: RuntimePlan,
    secretVersion: string | undefined,
    { keepsSecret, signal }: { readonly keepsSecret: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<Resource> {
    const { name } = plan
    const { api, logs, secrets } = this.#options
    try {
      await this.#create(plan, secretVersion, signal)
      return await waitUntilReady(api, name, { signal, logs })
    } catch (error) {
      if (hasCode(error, 'ALREADY_EXISTS')) throw error
      signal?.throwIfAborted()
      // the operation says that it failed; what was made says why
      const made = LithopsError.isInstance(error) ? undefined : await api.find(name).catch(() => undefined)
      const why =
        made?.terminalCondition?.state === 'CONDITION_FAILED'
          ? await notReady(api.noun, made, { logs, signal })
          : error
      await api.remove(name).catch(() => {})
      if (!(keepsSecret && isWithoutAccess(why)))
        await secrets.remove(secretName(name), undefined).catch(() => {})
      throw why
    }
  }

  async #create(
    plan: RuntimePlan,
    secretVersion: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { api, objectOf, makeRoom } = this.#options
    const create = () => api.create(plan.name, objectOf(plan, secretVersion), { signal })
    await makeRoom?.({ signal })
    try {
      await create()
    } catch (error) {
      signal?.throwIfAborted()
      const quota = LithopsError.isInstance(error) ? undefined : quotaIn(failureOf(error))
      const removed = quota?.quota === 'jobs' ? await makeRoom?.({ isFull: true, signal }) : undefined
      if (removed === undefined || removed === 0) throw error
      await create()
    }
  }

  /** Older versions than those that are in use. Who may not destroy them leaves them to `lithops clean`. */
  async #tidySecrets(
    ready: Resource,
    name: string,
    { log, signal }: Pick<EnsureOptions, 'log' | 'signal'>,
  ): Promise<void> {
    const { secrets, secretsSeenBy, secretsInUse } = this.#options
    try {
      const used = [secretsSeenBy(ready), ...((await secretsInUse?.(name, { signal })) ?? [])]
      const oldest = Math.min(...used.map(version => Number(version ?? 0)))
      await secrets.tidy(secretName(name), oldest, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      log.debug(`old versions of the secret of ${name} stay: ${(error as Error).message}`)
    }
  }

  /** A program without secrets makes it anew where one with secrets has removed it. Undefined where that cannot be looked at. */
  async #placedBefore(name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    try {
      return await this.#options.secrets.placed(secretName(name), { signal })
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }

  async #waitUntilGone(name: string, signal: AbortSignal | undefined): Promise<void> {
    const endMs = performance.now() + REMOVAL_MS
    const { api } = this.#options
    for (;;) {
      const now = await api.find(name, { signal })
      if (now === undefined || !isBeingRemoved(now)) return
      if (performance.now() > endMs)
        throw new RuntimeDeployError(
          `The ${api.noun} ${name} is being removed, and was still there after ${REMOVAL_MS / 1000} s.`,
          { isRetryable: true, details: { serviceName: name } },
        )
      await pause(LOOK_AGAIN_MS, signal)
    }
  }

  /** Versions have what those before them have, and more. */
  #sees(resource: Resource, wanted: string): boolean {
    return Number(this.#options.secretsSeenBy(resource) ?? 0) >= Number(wanted)
  }
}

/** What is asked anew of one that was read: what is written down at it stays, and nobody else's change is lost. */
export function changed<Resource extends RunResource>(wanted: Resource, now: Resource): Resource {
  return {
    ...wanted,
    annotations: { ...now.annotations, ...wanted.annotations },
    name: now.name ?? null,
    etag: now.etag ?? null,
  }
}

function isBeingRemoved({ deleteTime }: RunResource): boolean {
  return deleteTime !== null && deleteTime !== undefined
}

/** The service account of the workers may not read the secret of their service: not, or not yet. */
function isWithoutAccess(error: unknown): boolean {
  return error instanceof Error && /Permission denied on secret/i.test(error.message)
}
