import {
  type Deployed,
  type DeployedParts,
  DeployedRuntimes,
  type DeployOptions,
  type DriverLog,
  InvocationError,
  pause,
  type RuntimeMetadata,
  type RuntimeSpec,
  type WorkerDriver,
  type WorkerSecrets,
} from '@lithops/core/driver'
import type { AccountFacts } from './account-facts.ts'
import { FUNCTION_GONE } from './answers.ts'
import type { AwsClients, Identity } from './clients.ts'
import type { AwsLambdaSettings } from './config.ts'
import { ContainerImages } from './container-images.ts'
import { Deployer, type FunctionPlan, nodeRuntimeFor } from './deployer.ts'
import type { Invocations } from './invocations.ts'
import { functionsOf, managedRuntime } from './managed-runtimes.ts'
import { describe, functionName, roleName, userKey } from './names.ts'
import { roleFor } from './role.ts'
import { SignalCancellation } from './signal-cancellation.ts'
import { attempt } from './vendor-errors.ts'
import { workerCode } from './worker-code.ts'

/** A function that was just made is not invocable everywhere at once. */
const METADATA_ATTEMPTS = 6
const METADATA_PAUSE_MS = 500
/** Addons that fit one line of Node alone are for that of the recipe's base; all others fit any. */
const IMAGE_NODE_MAJOR = 24
/** On which nodejs20.x and all newer lines run. From: "Lambda runtimes", and the release notes of Amazon Linux 2023. */
const GLIBC_OF_AMAZON_LINUX_2023 = '2.34'

/** Where a runtime is. */
interface FunctionPlace {
  readonly functionName: string
}

export interface DeploymentsOptions {
  readonly clients: AwsClients
  readonly invocations: Invocations
  readonly settings: AwsLambdaSettings
  readonly facts: AccountFacts
  readonly version: string
  readonly log: DriverLog
}

/** The functions behind runtimes: made at their first use, found by name afterwards, made again when they are gone. */
export class Deployments {
  readonly #options: DeploymentsOptions
  readonly #deployer: Deployer
  readonly #runtimes: DeployedRuntimes<FunctionPlace>

  constructor(options: DeploymentsOptions) {
    this.#options = options
    this.#deployer = new Deployer(options.clients)
    this.#runtimes = new DeployedRuntimes((runtime, parts, more) => this.#deploy(runtime, parts, more))
  }

  /** Undefined when it was not deployed by this program. */
  of(runtime: RuntimeSpec): Deployed<FunctionPlace> | undefined {
    return this.#runtimes.of(runtime)
  }

  /** One after the other for each runtime: what the second needs besides is added to what the first has. */
  deploy(runtime: RuntimeSpec, options: DeployOptions): Promise<RuntimeMetadata> {
    return this.#runtimes.deploy(runtime, options)
  }

  /** The function is gone: it is made again, once for all who notice. */
  redeploy(runtime: RuntimeSpec): Promise<void> {
    return this.#runtimes.restore(runtime, ({ functionName }) => {
      this.#options.log.warn(`the function ${functionName} is gone, and is made again`)
      this.#options.facts.forgetFunction(functionName)
    })
  }

  /** Functions that were removed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#options.facts.forgetFunction(name)
    this.#runtimes.forget(({ functionName }) => names.includes(functionName))
  }

  async #deploy(runtime: RuntimeSpec, { drivers, secrets }: DeployedParts, options: DeployOptions) {
    const plan = await this.#planOf(runtime, drivers, options.signal)
    const metadata = await this.#ensure(plan, secrets, options)
    return { functionName: plan.name, metadata }
  }

  async identity(): Promise<Identity> {
    const { facts, clients } = this.#options
    if (facts.identity === undefined)
      facts.identity = await attempt('asking STS who you are', undefined, () => clients.identity())
    return facts.identity as Identity
  }

  /** Images of this user's runtimes. */
  async images(): Promise<ContainerImages> {
    const { clients, settings, log } = this.#options
    const { userId } = await this.identity()
    return new ContainerImages({ clients, settings, userKey: userKey(userId), log })
  }

  async #planOf(
    runtime: RuntimeSpec,
    drivers: readonly WorkerDriver[],
    signal: AbortSignal | undefined,
  ): Promise<FunctionPlan> {
    const { settings, version } = this.#options
    const { userId } = await this.identity()
    const memoryMiB = runtime.memoryMiB ?? settings.memoryMiB
    const managed = managedRuntime(runtime.name)
    const nodeRuntime = managed?.base === 'default' ? nodeRuntimeFor(process.version) : managed?.base
    const given = runtime.functions ?? []
    const functions = managed === undefined ? given : functionsOf(runtime.name, managed, given)
    const code = await workerCode({
      drivers,
      packages: runtime.packages ?? [],
      functions,
      target: {
        platform: 'linux',
        arch: settings.architecture === 'arm64' ? 'arm64' : 'x64',
        libc: 'glibc',
        nodeMajor: nodeRuntime === undefined ? IMAGE_NODE_MAJOR : Number(/\d+/.exec(nodeRuntime)?.[0]),
        // what is in an image is not known
        ...(nodeRuntime === undefined ? {} : { glibc: GLIBC_OF_AMAZON_LINUX_2023 }),
      },
    })
    const image =
      nodeRuntime === undefined ? await (await this.images()).plan(runtime.name, code, signal) : undefined
    const { architecture, timeoutMs, ephemeralMiB, environment, tags, vpc, fileSystems, maximumEventAgeS } =
      settings
    const name = functionName(
      { namespace: settings.namespace, userKey: userKey(userId) },
      { name: runtime.name, memoryMiB },
      version,
      [
        image?.id ?? code.id,
        nodeRuntime,
        settings.executionRole,
        { architecture, timeoutMs, ephemeralMiB, environment, tags, vpc, fileSystems, maximumEventAgeS },
      ],
    )
    const description = describe({
      runtime: runtime.name,
      version,
      functions: functions.map(one => one.name).filter(named => named !== ''),
    })
    const hasFunctions = functions.length > 0
    return { name, description, nodeRuntime, memoryMiB, code, image, hasFunctions, settings }
  }

  async #ensure(
    plan: FunctionPlan,
    secrets: readonly WorkerSecrets[],
    { signal, createRole = false }: DeployOptions,
  ): Promise<RuntimeMetadata> {
    const { facts, settings, clients, log } = this.#options
    const known = facts.functionOf(plan.name)
    // others may have changed the secrets since: that is looked at
    if (known !== undefined && secrets.length === 0) return known
    if (known === undefined) log.info(`deploying ${plan.name}`)
    await this.#deployer.ensure(plan, {
      secrets,
      signal,
      log,
      role: async () => {
        const { accountId, userId } = await this.identity()
        return roleFor(clients, {
          scope: { region: await clients.region(), accountId, settings },
          name: roleName({ namespace: settings.namespace, userKey: userKey(userId) }),
          createsRole: createRole || settings.createsRole,
          log,
          signal,
        })
      },
    })
    const metadata = known ?? (await this.#askMetadata(plan, signal))
    facts.addFunction(plan.name, metadata)
    return metadata
  }

  async #askMetadata(plan: FunctionPlan, signal: AbortSignal | undefined): Promise<RuntimeMetadata> {
    for (let tries = 1; ; tries++) {
      try {
        const { body } = await this.#options.invocations.run({
          functionName: plan.name,
          payload: Buffer.from(JSON.stringify({ lithops: 'metadata' })),
          timeoutMs: plan.settings.timeoutMs,
          ...(signal === undefined ? {} : { cancellation: new SignalCancellation(signal) }),
        })
        return JSON.parse(body.toString('utf8')) as RuntimeMetadata
      } catch (error) {
        const mayPass = InvocationError.isInstance(error) && error.isRetryable
        if (!mayPass || tries >= METADATA_ATTEMPTS) throw error
        await pause(METADATA_PAUSE_MS * tries, signal)
      }
    }
  }
}

/** Whether an invocation says that its function is not there. */
export function isGone(error: unknown): boolean {
  return InvocationError.isInstance(error) && error.details.errorCode === FUNCTION_GONE
}
