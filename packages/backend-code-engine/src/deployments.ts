import { imageTarget, type RegistryLogin, type RuntimeImages, workerCode } from '@lithops/container-runtime'
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
  runStep,
  SECRETS_ENVIRONMENT_NAME,
} from '@lithops/core/driver'
import { type CodeEngineSettings, instanceSize } from './config.ts'
import { isPullFailure } from './index-ends.ts'
import { RUN_BYTES } from './limits.ts'
import { pullSecretName, RUNTIME_VARIABLE, runtimeName, secretName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { Variable } from './resources.ts'
import { placePullSecret, placeSecrets } from './secrets.ts'
import type { InstanceSize } from './sizes.ts'
import { platformError } from './vendor-errors.ts'

/** Where the runs of a runtime's jobs begin. */
export interface JobPlace {
  /** Of the job, or the application. */
  readonly jobName: string
  /** What each instance has in its environment: a run is told all of it again. */
  readonly variables: readonly Variable[]
  readonly memoryMiB: number
  readonly timeoutMs: number
}

/** Where a runtime is: an application is reached by its URL. */
export interface RuntimePlace extends JobPlace {
  readonly url: string | undefined
  readonly accessKey: string | undefined
}

/** What an earlier program of this user has found out about one project. */
export interface ProjectFacts {
  /** By name of the job or application; names change with all that makes it what it is. */
  readonly runtimes: KnownRuntime
  /** Digests by image; tags of content stand for the same for ever. */
  readonly digests: string
}

export interface KnownRuntime {
  readonly metadata: RuntimeMetadata
  readonly url?: string
}

export interface ReadyRuntime extends KnownRuntime {
  /** What an application asks for in each request. */
  readonly accessKey?: string
}

/** All that a job or an application is made of. */
export interface RuntimePlan {
  readonly name: string
  readonly image: string
  readonly pullSecret: string | undefined
  readonly size: InstanceSize
  readonly variables: readonly Variable[]
  /** Hashes of the functions that were put into the image beside the worker; what the image under it has is not known. */
  readonly functions: readonly string[]
}

export interface EnsureOptions {
  /** What an earlier program has found out: it need not be asked for again. */
  readonly known: KnownRuntime | undefined
  /** Of the secrets that were placed for it just now; undefined where there are none. */
  readonly secretsVersion: string | undefined
  readonly signal: AbortSignal | undefined
}

/** Makes what runs a plan, or finds it: a job, or an application. */
export interface Deployer {
  /**
   * It is there, and its workers have told what they are.
   *
   * @throws RuntimeDeployError with the platform's own reason, ApiError, ConnectionError
   */
  ensure(plan: RuntimePlan, options: EnsureOptions): Promise<ReadyRuntime>
}

export interface DeploymentsOptions {
  readonly project: ProjectApi
  readonly images: RuntimeImages
  readonly deployer: Deployer
  readonly settings: CodeEngineSettings
  /** Part of names that tells users apart. */
  readonly user: string
  readonly facts: KnownFacts<ProjectFacts>
  readonly version: string
  readonly log: DriverLog
}

interface Planned {
  readonly plan: RuntimePlan
  readonly login: RegistryLogin | undefined
  /** See `ReadyImage`. */
  readonly forget: (() => void) | undefined
}

/** The jobs or applications behind runtimes: made at their first use, found by name afterwards, made again when they are gone. */
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

  /** It is not there any more, and is made again. Once for all who notice. */
  restore(runtime: RuntimeSpec): Promise<void> {
    return this.#runtimes.restore(runtime, ({ jobName }) => {
      this.#options.log.debug(`${jobName} is not there any more, and is made again`)
      this.#options.facts.forget('runtimes', jobName)
    })
  }

  /** Those that were removed. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#options.facts.forget('runtimes', name)
    this.#runtimes.forget(({ jobName }) => names.includes(jobName))
  }

  /** An image that was remembered, and is not in the registry any more, is made again. */
  async #deploy(
    runtime: RuntimeSpec,
    parts: DeployedParts,
    signal: AbortSignal | undefined,
  ): Promise<RuntimePlace & { readonly metadata: RuntimeMetadata }> {
    const planned = await this.#planOf(runtime, parts, signal)
    try {
      return await this.#ensure(planned, parts, signal)
    } catch (error) {
      const isPull = RuntimeDeployError.isInstance(error) && isPullFailure(String(error.details.reason))
      if (!isPull || planned.forget === undefined) throw error
      this.#options.log.debug(
        `${planned.plan.image} cannot be pulled: the registry is asked whether it is there`,
      )
      planned.forget()
      return this.#ensure(await this.#planOf(runtime, parts, signal), parts, signal)
    }
  }

  async #planOf(
    runtime: RuntimeSpec,
    { drivers, secrets }: DeployedParts,
    signal: AbortSignal | undefined,
  ): Promise<Planned> {
    const { settings, user, version, images } = this.#options
    const memoryMiB = runtime.memoryMiB ?? settings.memoryMiB
    const size = instanceSize(settings, memoryMiB)
    const code = await workerCode({
      drivers,
      packages: runtime.packages ?? [],
      functions: runtime.functions ?? [],
      target: imageTarget('amd64'),
    })
    const { image, login, forget } = await images.ensure(runtime.name, code, signal)
    const pullSecret = login === undefined ? undefined : pullSecretName(user, login.server, login.user)
    const { workload, timeoutMs, minWorkers, maxWorkers, scaleDownDelayS, serviceAccount, environment } =
      settings
    const { workerProcesses, concurrency } = settings
    const hasSecrets = secrets.length > 0
    const name = runtimeName(user, { name: runtime.name, memoryMiB }, [
      { image, pullSecret, version, size, timeoutMs, workload, serviceAccount, environment, hasSecrets },
      workload === 'jobs' ? [] : { minWorkers, maxWorkers, scaleDownDelayS, workerProcesses, concurrency },
    ])
    const facts = JSON.stringify({ runtime: runtime.name, memoryMiB, version })
    const variables: Variable[] = [
      ...Object.entries({ ...environment, [RUNTIME_VARIABLE]: facts }).map(
        ([key, value]) => ({ type: 'literal', name: key, value }) as const,
      ),
      ...(hasSecrets ? [secretVariable(SECRETS_ENVIRONMENT_NAME, secretName(name))] : []),
    ]
    const functions = (runtime.functions ?? []).map(({ hash }) => hash)
    return { plan: { name, image, pullSecret, size, variables, functions }, login, forget }
  }

  async #ensure(
    { plan, login }: Planned,
    { secrets }: DeployedParts,
    signal: AbortSignal | undefined,
  ): Promise<RuntimePlace & { readonly metadata: RuntimeMetadata }> {
    const { facts, project, deployer, settings } = this.#options
    const { name, variables, size } = plan
    const known = facts.find('runtimes', name)
    const place = { jobName: name, variables, memoryMiB: size.memoryMiB, timeoutMs: settings.timeoutMs }
    const explain = (error: unknown) => platformError(error, `deploying ${name}`)
    const { metadata, url, accessKey } = await runStep(
      async () => {
        if (login !== undefined && plan.pullSecret !== undefined && known === undefined)
          await placePullSecret(project, plan.pullSecret, login, { signal })
        // others may have changed them since: that is looked at
        const secretsVersion =
          secrets.length === 0
            ? undefined
            : await placeSecrets(project, secretName(name), secrets, { signal })
        return deployer.ensure(plan, { known, secretsVersion, signal })
      },
      { signal, explain },
    )
    if (known === undefined) facts.add('runtimes', name, { metadata, ...(url === undefined ? {} : { url }) })
    return { ...place, url, accessKey, metadata }
  }
}

/** A variable whose text is in a secret. */
export function secretVariable(name: string, reference: string): Variable {
  return { type: 'secret_key_reference', name, reference, key: name }
}

/** Throws ConfigError where the platform would not take it. */
export function checkSize(what: string, body: object): void {
  const bytes = Buffer.byteLength(JSON.stringify(body))
  if (bytes > RUN_BYTES)
    throw new ConfigError(
      `The ${what} takes ${bytes} bytes, and Code Engine takes ${RUN_BYTES}: make code_engine.env_vars smaller.`,
    )
}
