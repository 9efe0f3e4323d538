import {
  imageTarget,
  type RegistryLogin,
  type RuntimeImages,
  workerCode,
  workerName,
} from '@lithops/container-runtime'
import {
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
import type { Cluster } from './cluster.ts'
import type { KnativeSettings } from './config.ts'
import { Deployer } from './deployer.ts'
import { type Route, routeTo } from './ingress.ts'
import type { Invocations } from './invocations.ts'
import { NAME_CHARACTERS } from './limits.ts'
import { pullSecretName } from './names.ts'
import type { ServicePlan } from './objects.ts'
import { placePullSecret } from './secrets.ts'

/** A service that was ready, and the way to it. */
export interface KnownService {
  readonly metadata: RuntimeMetadata
  readonly route: Route
}

/** What an earlier program of this user has found out about one cluster and namespace. */
export interface ClusterFacts {
  /** By name; names change with all that makes a service what it is. */
  readonly services: KnownService
  /** Digests by image; tags of content stand for the same for ever. */
  readonly digests: string
}

/** Where a runtime is. */
interface ServicePlace {
  readonly serviceName: string
  readonly route: Route
  readonly memoryMiB: number
}

export interface DeploymentsOptions {
  readonly cluster: Cluster
  readonly images: RuntimeImages
  readonly invocations: Invocations
  readonly settings: KnativeSettings
  /** Part of names that tells users apart. */
  readonly user: string
  readonly facts: KnownFacts<ClusterFacts>
  readonly version: string
  readonly log: DriverLog
}

interface Planned {
  readonly plan: ServicePlan
  readonly login: RegistryLogin | undefined
  /** See `ReadyImage`. */
  readonly forget: (() => void) | undefined
}

/** The services behind runtimes: made at their first use, found by name afterwards, made again when they are gone. */
export class Deployments {
  readonly #options: DeploymentsOptions
  readonly #deployer: Deployer
  readonly #runtimes: DeployedRuntimes<ServicePlace>

  constructor(options: DeploymentsOptions) {
    this.#options = options
    this.#deployer = new Deployer(options.cluster)
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

  /** The way to it is not there: it is looked for, and the service made again where it is gone. Once for all who notice. */
  restore(runtime: RuntimeSpec): Promise<void> {
    return this.#runtimes.restore(runtime, ({ serviceName }) => {
      this.#options.log.debug(`the way to ${serviceName} is not there, and is looked for`)
      this.#options.facts.forget('services', serviceName)
    })
  }

  /** Services that were removed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#options.facts.forget('services', name)
    this.#runtimes.forget(({ serviceName }) => names.includes(serviceName))
  }

  async #deploy(runtime: RuntimeSpec, { drivers, secrets }: DeployedParts, signal: AbortSignal | undefined) {
    const [planned, { metadata, route }] = await this.#ready(runtime, drivers, secrets, signal)
    const { name: serviceName, memoryMiB } = planned.plan
    return { serviceName, route, memoryMiB, metadata }
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
      const isPull = RuntimeDeployError.isInstance(error) && /Pull/.test(String(error.details.reason))
      if (!isPull || planned.forget === undefined) throw error
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
    const { image, login, forget } = await images.ensure(runtime.name, code, signal)
    const pullSecret = login === undefined ? undefined : pullSecretName(user, login.server, login.user)
    const { cpuMillis, timeoutMs, minWorkers, maxWorkers, scaleDownDelayS, serviceAccount, environment } =
      settings
    const { workerProcesses, concurrency } = settings
    const content = [
      { image, pullSecret, version, cpuMillis, timeoutMs, minWorkers, maxWorkers, scaleDownDelayS },
      { serviceAccount, environment, workerProcesses, concurrency },
    ]
    const name = workerName(user, { name: runtime.name, memoryMiB }, { content, characters: NAME_CHARACTERS })
    return {
      plan: {
        name,
        user,
        image,
        pullSecret,
        settings,
        runtime: runtime.name,
        memoryMiB,
        version,
        functions: (runtime.functions ?? []).map(one => one.name),
      },
      login,
      forget,
    }
  }

  async #ensure(
    { plan, login }: Planned,
    secrets: readonly WorkerSecrets[],
    signal: AbortSignal | undefined,
  ): Promise<KnownService> {
    const { facts, cluster, invocations, settings, log } = this.#options
    const known = facts.find('services', plan.name)
    // others may have changed the secrets since: that is looked at
    if (known !== undefined && secrets.length === 0) return known
    if (login !== undefined && plan.pullSecret !== undefined)
      await placePullSecret(cluster, { name: plan.pullSecret, user: plan.user }, login, { signal })
    const service = await this.#deployer.ensure(plan, { secrets, signal, log })
    const route = await routeTo(service, cluster, { settings, log, signal })
    const metadata = await invocations.metadata(plan.name, route, signal)
    facts.add('services', plan.name, { metadata, route })
    return { metadata, route }
  }
}
