import { imageTarget, type RuntimeImages, workerCode, workerName } from '@lithops/container-runtime'
import {
  ConfigError,
  type Deployed,
  type DeployedParts,
  DeployedRuntimes,
  type DeployOptions,
  type DriverLog,
  type KnownFacts,
  RuntimeDeployError,
  type RuntimeMetadata,
  type RuntimeSpec,
  type WorkerDriver,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { CloudRunSettings } from './config.ts'
import type { EnsureOptions } from './deployer.ts'
import { flawOfJobPair, flawOfPair, NAME_CHARACTERS } from './limits.ts'
import type { RuntimePlan } from './objects.ts'

/** A service, or a job, that was ready, and where it is. */
export interface KnownRuntime {
  readonly metadata: RuntimeMetadata
  /** Of a service. */
  readonly url?: string
}

/** What runs the plans of one workload. */
export interface Workers {
  /**
   * They are there with these secrets, and have told what they are.
   *
   * @throws RuntimeDeployError with the platform's own reason
   */
  ensure(plan: RuntimePlan, options: EnsureOptions): Promise<KnownRuntime>
}

/** What an earlier program of this user has found out about one project and region. */
export interface ProjectFacts {
  /** By name; names change with all that makes a service what it is. */
  readonly services: KnownRuntime
  /** Digests by image; tags of content stand for the same for ever. */
  readonly digests: string
}

/** Where a runtime is. */
export interface RuntimePlace {
  /** Of the service, or the job. */
  readonly serviceName: string
  /** Of a service. */
  readonly url: string | undefined
  readonly memoryMiB: number
}

export interface DeploymentsOptions {
  readonly workers: Workers
  readonly images: RuntimeImages
  readonly settings: CloudRunSettings
  /** Part of names that tells users apart. */
  readonly user: string
  readonly facts: KnownFacts<ProjectFacts>
  readonly version: string
  readonly log: DriverLog
}

interface Planned {
  readonly plan: RuntimePlan
  /** See `ReadyImage`. */
  readonly forget: (() => void) | undefined
}

/** The services, or jobs, behind runtimes: made at their first use, found by name afterwards, made again when they are gone. */
export class Deployments {
  readonly #options: DeploymentsOptions
  readonly #runtimes: DeployedRuntimes<RuntimePlace>

  constructor(options: DeploymentsOptions) {
    this.#options = options
    this.#runtimes = new DeployedRuntimes((runtime, parts, { signal }) =>
      this.#deploy(runtime, parts, signal),
    )
  }

  /** Undefined when it was not deployed by this program. */
  of(runtime: RuntimeSpec): Deployed<RuntimePlace> | undefined {
    return this.#runtimes.of(runtime)
  }

  /** One after the other for each runtime: what the second needs besides is added to what the first has. */
  deploy(runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    return this.#runtimes.deploy(runtime, options)
  }

  /** It is not where it was: it is looked for, and made again where it is gone. Once for all who notice. */
  restore(runtime: RuntimeSpec): Promise<void> {
    return this.#runtimes.restore(runtime, ({ serviceName }) => {
      this.#options.log.debug(`${serviceName} is not there, and is looked for`)
      this.#options.facts.forget('services', serviceName)
    })
  }

  /** Those that were removed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#options.facts.forget('services', name)
    this.#runtimes.forget(({ serviceName }) => names.includes(serviceName))
  }

  async #deploy(runtime: RuntimeSpec, { drivers, secrets }: DeployedParts, signal: AbortSignal | undefined) {
    const { cpu, memoryMiB, workload } = this.#options.settings
    const flaw = (workload === 'jobs' ? flawOfJobPair : flawOfPair)(cpu, runtime.memoryMiB ?? memoryMiB)
    if (flaw !== undefined) throw new ConfigError(`runtimeMemoryMiB and gcp_cloudrun.runtime_cpu: ${flaw}.`)
    const [{ plan }, { metadata, url }] = await this.#ready(runtime, drivers, secrets, signal)
    return { serviceName: plan.name, url, memoryMiB: plan.memoryMiB, metadata }
  }

  /** An image that was remembered, and is not in the registry any more, is made again. */
  async #ready(
    runtime: RuntimeSpec,
    drivers: readonly WorkerDriver[],
    secrets: readonly WorkerSecrets[],
    signal: AbortSignal | undefined,
  ): Promise<readonly [Planned, KnownRuntime]> {
    const planned = await this.#planOf(runtime, drivers, signal)
    try {
      return [planned, await this.#ensure(planned, secrets, signal)]
    } catch (error) {
      if (!isImageGone(error) || planned.forget === undefined) throw error
      this.#options.log.debug(
        `${planned.plan.image} cannot be pulled: the registry is asked whether it is there`,
      )
      planned.forget()
      const again = await this.#planOf(runtime, drivers, signal)
      return [again, await this.#ensure(again, secrets, signal)]
    }
  }

  async #planOf(
    runtime: RuntimeSpec,
    drivers: readonly WorkerDriver[],
    signal: AbortSignal | undefined,
  ): Promise<Planned> {
    const { settings, user, version, images } = this.#options
    const memoryMiB = runtime.memoryMiB ?? settings.memoryMiB
    const code = await workerCode({
      drivers,
      packages: runtime.packages ?? [],
      functions: runtime.functions ?? [],
      target: imageTarget(settings.architecture),
    })
    const { image, forget } = await images.ensure(runtime.name, code, signal)
    const { cpu, timeoutMs, minWorkers, maxWorkers, serviceAccount, environment } = settings
    const { workerProcesses, concurrency, workload } = settings
    const all = { serviceAccount, environment }
    const content =
      workload === 'jobs'
        ? [{ image, version, cpu, timeoutMs, workload }, all]
        : [
            { image, version, cpu, timeoutMs, minWorkers, maxWorkers },
            { ...all, workerProcesses, concurrency },
          ]
    const name = workerName(user, { name: runtime.name, memoryMiB }, { content, characters: NAME_CHARACTERS })
    const functions = (runtime.functions ?? []).map(one => one.name)
    const functionHashes = (runtime.functions ?? []).map(one => one.hash)
    return {
      plan: {
        name,
        user,
        image,
        settings,
        runtime: runtime.name,
        memoryMiB,
        version,
        functions,
        functionHashes,
      },
      forget,
    }
  }

  async #ensure(
    { plan }: Planned,
    secrets: readonly WorkerSecrets[],
    signal: AbortSignal | undefined,
  ): Promise<KnownRuntime> {
    const { facts, workers, log } = this.#options
    const known = facts.find('services', plan.name)
    // others may have changed the secrets since: that is looked at
    if (known !== undefined && secrets.length === 0) return known
    const found = await workers.ensure(plan, { secrets, signal, log })
    facts.add('services', plan.name, found)
    return found
  }
}

function isImageGone(error: unknown): boolean {
  if (!RuntimeDeployError.isInstance(error)) return false
  const { reason } = error.details
  return (
    /^CONTAINER_(MISSING|PERMISSION_DENIED)$/.test(String(reason)) ||
    /Image '[^']+' not found/.test(error.message)
  )
}
