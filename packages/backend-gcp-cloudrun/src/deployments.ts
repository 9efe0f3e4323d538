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
import { type CloudRunSettings, isSecret } from './config.ts'
import type { Deployer } from './deployer.ts'
import type { Invocations } from './invocations.ts'
import { flawOfPair, NAME_CHARACTERS } from './limits.ts'
import type { ServicePlan } from './objects.ts'

/** A service that was ready, and where it is. */
export interface KnownService {
  readonly metadata: RuntimeMetadata
  readonly url: string
}

/** What an earlier program of this user has found out about one project and region. */
export interface ProjectFacts {
  /** By name; names change with all that makes a service what it is. */
  readonly services: KnownService
  /** Digests by image; tags of content stand for the same for ever. */
  readonly digests: string
}

/** Where a runtime is. */
interface ServicePlace {
  readonly serviceName: string
  readonly url: string
  readonly memoryMiB: number
}

export interface DeploymentsOptions {
  readonly deployer: Deployer
  readonly images: RuntimeImages
  readonly invocations: Invocations
  readonly settings: CloudRunSettings
  /** Part of names that tells users apart. */
  readonly user: string
  readonly facts: KnownFacts<ProjectFacts>
  readonly version: string
  readonly log: DriverLog
}

interface Planned {
  readonly plan: ServicePlan
  /** See `ReadyImage`. */
  readonly forget: (() => void) | undefined
}

/** The services behind runtimes: made at their first use, found by name afterwards, made again when they are gone. */
export class Deployments {
  readonly #options: DeploymentsOptions
  readonly #runtimes: DeployedRuntimes<ServicePlace>

  constructor(options: DeploymentsOptions) {
    this.#options = options
    this.#runtimes = new DeployedRuntimes((runtime, parts, { signal }) =>
      this.#deploy(runtime, parts, signal),
    )
  }

  /** Undefined when it was not deployed by this program. */
  of(runtime: RuntimeSpec): Deployed<ServicePlace> | undefined {
    return this.#runtimes.of(runtime)
  }

  /** One after the other for each runtime: what the second needs besides is added to what the first has. */
  deploy(runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    return this.#runtimes.deploy(runtime, options)
  }

  /** It is not where it was: it is looked for, and made again where it is gone. Once for all who notice. */
  restore(runtime: RuntimeSpec): Promise<void> {
    return this.#runtimes.restore(runtime, ({ serviceName }) => {
      this.#options.log.debug(`the service ${serviceName} is not there, and is looked for`)
      this.#options.facts.forget('services', serviceName)
    })
  }

  /** Services that were removed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#options.facts.forget('services', name)
    this.#runtimes.forget(({ serviceName }) => names.includes(serviceName))
  }

  async #deploy(runtime: RuntimeSpec, { drivers, secrets }: DeployedParts, signal: AbortSignal | undefined) {
    const { cpu, memoryMiB } = this.#options.settings
    const flaw = flawOfPair(cpu, runtime.memoryMiB ?? memoryMiB)
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
  ): Promise<readonly [Planned, KnownService]> {
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
    const { workerProcesses, concurrency } = settings
    const content = [
      { image, version, cpu, timeoutMs, minWorkers, maxWorkers },
      { serviceAccount, environment, workerProcesses, concurrency },
    ]
    const name = workerName(user, { name: runtime.name, memoryMiB }, { content, characters: NAME_CHARACTERS })
    const functions = (runtime.functions ?? []).map(one => one.name)
    return {
      plan: { name, user, image, settings, runtime: runtime.name, memoryMiB, version, functions },
      forget,
    }
  }

  async #ensure(
    { plan }: Planned,
    secrets: readonly WorkerSecrets[],
    signal: AbortSignal | undefined,
  ): Promise<KnownService> {
    const { facts, deployer, invocations, log } = this.#options
    const known = facts.find('services', plan.name)
    // others may have changed the secrets since: that is looked at
    if (known !== undefined && secrets.length === 0) return known
    const { uri } = await deployer.ensure(plan, { secrets, signal, log })
    const url = checked(uri ?? '')
    const metadata = await invocations.metadata(plan.name, url, signal)
    facts.add('services', plan.name, { metadata, url })
    return { metadata, url }
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

/** Tokens go there. */
function checked(uri: string): string {
  if (URL.canParse(uri) && isSecret(new URL(uri))) return new URL(uri).origin
  throw new RuntimeDeployError(`Cloud Run says that the service is at '${uri}', which is no https:// URL.`)
}
