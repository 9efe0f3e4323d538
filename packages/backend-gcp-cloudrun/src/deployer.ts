import {
  type DriverLog,
  LithopsError,
  pause,
  RuntimeDeployError,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { WorkerLogs } from './logs.ts'
import { secretName } from './names.ts'
import { type ServicePlan, secretsSeenBy, serviceOf } from './objects.ts'
import { notReady, waitUntilReady } from './readiness.ts'
import type { RunApi, RunService } from './run-api.ts'
import type { ServiceSecrets } from './secrets.ts'
import { attempt, hasCode } from './vendor-errors.ts'

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

/** Makes services, and brings their secrets up to date, together with any number of other programs that do the same. */
export class Deployer {
  readonly #api: RunApi
  readonly #secrets: ServiceSecrets
  readonly #logs: WorkerLogs

  constructor(api: RunApi, secrets: ServiceSecrets, logs: WorkerLogs) {
    this.#api = api
    this.#secrets = secrets
    this.#logs = logs
  }

  /**
   * The service is there and ready, with these secrets, when it resolves to it.
   *
   * @throws RuntimeDeployError with the platform's own reason
   */
  async ensure(plan: ServicePlan, { secrets, log, signal }: EnsureOptions): Promise<RunService> {
    const { name, settings } = plan
    const { serviceAccount } = settings
    const wanted =
      secrets.length === 0
        ? undefined
        : await this.#secrets.place(secretName(name), secrets, { serviceAccount, signal })
    let hasBroken = false
    const accessEndMs = performance.now() + (wanted === undefined ? 0 : ACCESS_MS)
    return attempt(`deploying the service ${name}`, signal, async () => {
      for (let tries = 1; ; tries++) {
        const now = await this.#api.findService(name, { signal })
        if (now !== undefined && isBeingRemoved(now)) {
          await this.#waitUntilGone(name, signal)
          continue
        }
        try {
          if (now === undefined) {
            log.info(`making the service ${name}`)
            const version = wanted ?? (await this.#placedBefore(name, signal))
            return await this.#make(plan, version, { keepsSecret: performance.now() < accessEndMs, signal })
          }
          if (wanted !== undefined && !sees(now, wanted)) {
            log.debug(`the service ${name} is told of other secrets`)
            const changed = { ...serviceOf(plan, wanted), name: now.name ?? null, etag: now.etag ?? null }
            await this.#api.updateService(changed, { signal })
          }
          return await waitUntilReady(this.#api, name, { signal, logs: this.#logs })
        } catch (error) {
          signal?.throwIfAborted()
          if (isWithoutAccess(error) && performance.now() < accessEndMs) {
            log.debug(`the workers of ${name} may not read its secret yet`)
            if (now !== undefined) await this.#api.deleteService(name, { signal })
            await pause(ACCESS_PAUSE_MS, signal)
            continue
          }
          // what somebody left broken is made anew, once: the reason may be gone
          if (now !== undefined && !hasBroken && RuntimeDeployError.isInstance(error)) {
            hasBroken = true
            log.info(`${error.message} It is made anew.`)
            await this.#api.deleteService(name, { signal })
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

  /** A service that was made here and does not become ready goes again: the next use finds nothing broken. */
  async #make(
    plan: ServicePlan,
    secretVersion: string | undefined,
    { keepsSecret, signal }: { readonly keepsSecret: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<RunService> {
    const { name } = plan
    try {
      await this.#api.createService(name, serviceOf(plan, secretVersion), { signal })
      return await waitUntilReady(this.#api, name, { signal, logs: this.#logs })
    } catch (error) {
      if (hasCode(error, 'ALREADY_EXISTS')) throw error
      signal?.throwIfAborted()
      // the operation says that it failed; the service says why
      const made = LithopsError.isInstance(error)
        ? undefined
        : await this.#api.findService(name).catch(() => undefined)
      const why =
        made?.terminalCondition?.state === 'CONDITION_FAILED'
          ? await notReady(made, this.#logs, signal)
          : error
      await this.#api.deleteService(name).catch(() => {})
      if (!(keepsSecret && isWithoutAccess(why)))
        await this.#secrets.remove(secretName(name), undefined).catch(() => {})
      throw why
    }
  }

  /** A program without secrets makes it anew where one with secrets has removed it. Undefined where that cannot be looked at. */
  async #placedBefore(name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    try {
      return await this.#secrets.placed(secretName(name), { signal })
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }

  async #waitUntilGone(name: string, signal: AbortSignal | undefined): Promise<void> {
    const endMs = performance.now() + REMOVAL_MS
    for (;;) {
      const now = await this.#api.findService(name, { signal })
      if (now === undefined || !isBeingRemoved(now)) return
      if (performance.now() > endMs)
        throw new RuntimeDeployError(
          `The service ${name} is being removed, and was still there after ${REMOVAL_MS / 1000} s.`,
          { isRetryable: true, details: { serviceName: name } },
        )
      await pause(LOOK_AGAIN_MS, signal)
    }
  }
}

function isBeingRemoved({ deleteTime }: RunService): boolean {
  return deleteTime !== null && deleteTime !== undefined
}

/** Versions have what those before them have, and more. */
function sees(service: RunService, wanted: string): boolean {
  return Number(secretsSeenBy(service) ?? 0) >= Number(wanted)
}

/** The service account of the workers may not read the secret of their service: not, or not yet. */
function isWithoutAccess(error: unknown): boolean {
  return error instanceof Error && /Permission denied on secret/i.test(error.message)
}
