import type { RegistryLogin } from '@lithops/container-runtime'
import {
  type DeployOptions,
  type DriverLog,
  RuntimeDeployError,
  type RuntimeMetadata,
  type RuntimeSpec,
  type WorkerDriver,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { Cluster } from './cluster.ts'
import type { KnativeSettings } from './config.ts'
import { Deployer } from './deployer.ts'
import type { Images } from './images.ts'
import { type Route, routeTo } from './ingress.ts'
import type { Invocations } from './invocations.ts'
import type { KnownFacts, KnownService } from './known-facts.ts'
import { pullSecretName, serviceName } from './names.ts'
import type { ServicePlan } from './objects.ts'
import { placePullSecret } from './secrets.ts'
import { workerCode } from './worker-code.ts'

/** Addons that fit one line of Node alone are for that of the default base image; all others fit any. */
const IMAGE_NODE_MAJOR = 24

/** A runtime of a job, as it is deployed. */
export interface Deployment {
  readonly serviceName: string
  readonly route: Route
  readonly memoryMiB: number
  readonly metadata: RuntimeMetadata
  readonly drivers: readonly WorkerDriver[]
  readonly secrets: readonly WorkerSecrets[]
}

export interface DeploymentsOptions {
  readonly cluster: Cluster
  readonly images: Images
  readonly invocations: Invocations
  readonly settings: KnativeSettings
  /** Part of names that tells users apart. */
  readonly user: string
  readonly facts: KnownFacts
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
  /** By runtime: each with all drivers that were asked for since the start. */
  readonly #current = new Map<string, Deployment>()
  /** All activations of a job come with the same object. */
  readonly #keys = new WeakMap<RuntimeSpec, string>()
  readonly #queue = new Map<string, Promise<unknown>>()
  readonly #restoring = new Map<string, Promise<void>>()

  constructor(options: DeploymentsOptions) {
    this.#options = options
    this.#deployer = new Deployer(options.cluster)
  }

  /** Undefined when it was not deployed by this program. */
  of(runtime: RuntimeSpec): Deployment | undefined {
    let key = this.#keys.get(runtime)
    if (key === undefined) {
      key = keyOf(runtime)
      this.#keys.set(runtime, key)
    }
    return this.#current.get(key)
  }

  /** One after the other for each runtime: what the second needs besides is added to what the first has. */
  deploy(runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    const key = keyOf(runtime)
    const deployed = (this.#queue.get(key) ?? Promise.resolve()).then(() =>
      this.#deploy(key, runtime, options),
    )
    this.#queue.set(
      key,
      deployed.catch(() => {}),
    )
    return deployed
  }

  /** The way to it is not there: it is looked for, and the service made again where it is gone. Once for all who notice. */
  restore(runtime: RuntimeSpec): Promise<void> {
    const key = keyOf(runtime)
    let restoring = this.#restoring.get(key)
    if (restoring === undefined) {
      const before = this.#current.get(key)
      if (before === undefined) return Promise.resolve()
      this.#options.log.debug(`the way to ${before.serviceName} is not there, and is looked for`)
      this.#options.facts.forgetService(before.serviceName)
      restoring = this.deploy(runtime, {})
        .then(() => {})
        .finally(() => this.#restoring.delete(key))
      this.#restoring.set(key, restoring)
    }
    return restoring
  }

  /** Services that were removed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#options.facts.forgetService(name)
    for (const [key, { serviceName: name }] of this.#current)
      if (names.includes(name)) this.#current.delete(key)
  }

  async #deploy(key: string, runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    const before = this.#current.get(key)
    const drivers = union(before?.drivers ?? [], options.drivers ?? [], driver => driver.module)
    const secrets = union(before?.secrets ?? [], options.secrets ?? [], secret => secret.storageId)
    const [planned, { metadata, route }] = await this.#ready(runtime, drivers, secrets, options.signal)
    const { name, memoryMiB } = planned.plan
    this.#current.set(key, { serviceName: name, route, memoryMiB, metadata, drivers, secrets })
    return metadata
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
      target: {
        platform: 'linux',
        arch: settings.architecture === 'arm64' ? 'arm64' : 'x64',
        libc: 'glibc',
        nodeMajor: IMAGE_NODE_MAJOR,
      },
    })
    const { image, login, forget } = await images.ensure(runtime.name, code, signal)
    const pullSecret = login === undefined ? undefined : pullSecretName(user, login.server, login.user)
    const { cpuMillis, timeoutMs, minWorkers, maxWorkers, scaleDownDelayS, serviceAccount, environment } =
      settings
    const { workerProcesses, concurrency } = settings
    const name = serviceName(user, { name: runtime.name, memoryMiB }, [
      { image, pullSecret, version, cpuMillis, timeoutMs, minWorkers, maxWorkers, scaleDownDelayS },
      { serviceAccount, environment, workerProcesses, concurrency },
    ])
    return {
      plan: { name, user, image, pullSecret, settings, runtime: runtime.name, memoryMiB, version },
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
    const known = facts.serviceOf(plan.name)
    // others may have changed the secrets since: that is looked at
    if (known !== undefined && secrets.length === 0) return known
    if (login !== undefined && plan.pullSecret !== undefined)
      await placePullSecret(cluster, { name: plan.pullSecret, user: plan.user }, login, { signal })
    const service = await this.#deployer.ensure(plan, { secrets, signal, log })
    const route = await routeTo(service, cluster, { settings, log, signal })
    const metadata = await invocations.metadata(plan.name, route, signal)
    facts.addService(plan.name, { metadata, route })
    return { metadata, route }
  }
}

function keyOf({ name, memoryMiB, packages = [], functions = [] }: RuntimeSpec): string {
  const brought = packages.length === 0 ? '' : JSON.stringify(packages)
  return [name, memoryMiB ?? '', brought, ...functions.map(({ hash }) => hash)].join('\n')
}

function union<T>(before: readonly T[], added: readonly T[], keyOf: (one: T) => string): T[] {
  const all = new Map(before.map(one => [keyOf(one), one]))
  for (const one of added) all.set(keyOf(one), one)
  return [...all.values()]
}
