import { type RegistrySettings, RuntimeImages, userKey } from '@lithops/container-runtime'
import {
  type Activation,
  type ActivationReport,
  type CleanOptions,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type DeployOptions,
  type DriverContext,
  type ExtendedRuntime,
  InvocationError,
  type InvokeOptions,
  KnownFacts,
  type LogQuery,
  type PlatformPolicy,
  type RuntimeBuild,
  type RuntimeExtension,
  type RuntimeListing,
  type RuntimeMetadata,
  type RuntimeSpec,
  type RunUsage,
  withinOpenFiles,
} from '@lithops/core/driver'
import { isWithoutService } from './answers.ts'
import { ArtifactRegistry } from './artifact-registry.ts'
import { type CloudRunConfig, type CloudRunSettings, settingsOf } from './config.ts'
import { Deployer } from './deployer.ts'
import { Deployments, type ProjectFacts } from './deployments.ts'
import { GoogleAccount } from './google-account.ts'
import { Inventory } from './inventory.ts'
import { Invocations } from './invocations.ts'
import { REQUEST_BYTES } from './limits.ts'
import { requestIdOf, WorkerLogs } from './logs.ts'
import { imagePath } from './names.ts'
import { policiesOf } from './policies.ts'
import { costUsd } from './prices.ts'
import { RunApi } from './run-api.ts'
import { ServiceSecrets } from './secrets.ts'
import { BACKEND_VERSION } from './version.ts'

const SECTION = 'gcp_cloudrun'
/** Head of a request: path, headers, and the token among them. */
const HEAD_BYTES = 64 * 1024
/** A request is billed in steps of so many milliseconds. From: "Cloud Run pricing". */
const BILLED_STEP_MS = 100

/** Compute on Google Cloud Run. */
export class CloudRunBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = SECTION
  readonly kind = 'faas'
  readonly defaultRuntime: RuntimeSpec
  readonly capabilities: ComputeCapabilities
  readonly #settings: CloudRunSettings
  readonly #context: DriverContext
  readonly #user: string
  readonly #account: GoogleAccount
  readonly #api: RunApi
  readonly #logs: WorkerLogs
  readonly #secrets: ServiceSecrets
  readonly #registry: ArtifactRegistry
  readonly #invocations: Invocations
  readonly #closing = new AbortController()
  #opening: Promise<{ readonly deployments: Deployments; readonly images: RuntimeImages }> | undefined

  private constructor(config: CloudRunConfig, context: DriverContext) {
    this.#settings = settingsOf(config)
    this.#context = context
    const { runtime: name, memoryMiB, timeoutMs, user, endpoint } = this.#settings
    this.defaultRuntime = { name, memoryMiB, timeoutMs }
    this.capabilities = capabilitiesOf(this.#settings)
    this.#user = userKey(user ?? context.userName)
    this.#account = new GoogleAccount(this.#settings)
    this.#api = new RunApi(this.#account, this.#settings)
    this.#logs = new WorkerLogs(this.#account, endpoint, this.#user)
    this.#secrets = new ServiceSecrets(this.#account, endpoint, this.#user)
    this.#registry = new ArtifactRegistry(this.#account, this.#settings)
    this.#invocations = new Invocations(this.#account, this.#logs, this.capabilities.maxActivations)
  }

  /** Checks the config, and reads the file of credentials where one is named. */
  static open(config: CloudRunConfig, context: DriverContext): CloudRunBackend {
    return new CloudRunBackend(config, context)
  }

  async buildRuntime(build: RuntimeBuild, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    await (await this.#open()).images.build(build, signal)
  }

  async extendRuntime(
    extension: RuntimeExtension,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ExtendedRuntime> {
    signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    return (await this.#open()).images.extend(extension, signal)
  }

  async deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    return (await this.#open()).deployments.deploy(runtime, options)
  }

  async listRuntimes({ signal }: { readonly signal?: AbortSignal } = {}): Promise<readonly RuntimeListing[]> {
    return this.#inventory().services(signal)
  }

  async deleteRuntime(
    runtime: RuntimeSpec,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const removed = await this.#inventory().removeRuntime(runtime, signal)
    ;(await this.#open()).deployments.forget(removed)
  }

  async invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<ActivationReport> {
    const closing = this.#closing.signal
    closing.throwIfAborted()
    signal?.throwIfAborted()
    const { runtime, payload, repliesElsewhere: goesOnAlone = false, executorId, jobId } = activation
    const { deployments } = (await this.#opening) ?? {}
    const deployment = deployments?.of(runtime)
    if (deployment === undefined) {
      throw new InvocationError(`The runtime '${runtime.name}' was not deployed by this program.`, {
        isRetryable: false,
      })
    }
    const { serviceName, url, memoryMiB } = deployment
    const { timeoutMs } = this.#settings
    try {
      const invocation = { serviceName, url, payload, timeoutMs, memoryMiB, goesOnAlone, onReply, signal }
      const { ranMs, startedMs } = await this.#invocations.run(invocation)
      const jobKey = `${executorId}-${jobId}`
      return {
        requestId: requestIdOf({ serviceName, jobKey, startedMs, endedMs: Date.now() }),
        billedMs: Math.ceil(ranMs / BILLED_STEP_MS) * BILLED_STEP_MS,
      }
    } catch (error) {
      closing.throwIfAborted() // closing cuts the connections
      signal?.throwIfAborted()
      if (isWithoutService(error)) await deployments?.restore(runtime)
      throw error
    }
  }

  /** What workers wrote, in Cloud Logging, which has it some seconds after it was written. */
  async logs(query: LogQuery): Promise<string> {
    return this.#logs.find(query)
  }

  costOf(usage: RunUsage): number | undefined {
    const { region, cpu, workerProcesses, concurrency } = this.#settings
    return costUsd(region, usage, { cpu, requestsAtOnce: workerProcesses * concurrency })
  }

  policies(): readonly PlatformPolicy[] {
    return policiesOf(this.#settings)
  }

  async clean(options: CleanOptions = {}): Promise<readonly string[]> {
    const removed = await this.#inventory().clean(options)
    if (options.dryRun === true) return removed
    ;(await this.#open()).deployments.forget(removed)
    return removed
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(
      new InvocationError(`The backend ${SECTION} is closed.`, {
        code: 'LITHOPS_CLOSED',
        isRetryable: false,
      }),
    )
    await this.#invocations.close()
    await this.#api.close()
  }

  #inventory(): Inventory {
    return new Inventory({
      api: this.#api,
      secrets: this.#secrets,
      registry: this.#registry,
      user: this.#user,
      log: this.#context.log,
    })
  }

  #open() {
    if (this.#opening === undefined) {
      const opening = this.#openProject()
      opening.catch(() => {
        this.#opening = undefined
      })
      this.#opening = opening
    }
    return this.#opening
  }

  async #openProject() {
    const { log } = this.#context
    const [settings, user, project] = [this.#settings, this.#user, await this.#account.project()]
    const registry = registryOf(settings, project)
    const who = this.#account.given?.content.client_email
    const { region, endpoint } = settings
    const facts = new KnownFacts<ProjectFacts>('gcp-cloudrun', [project, region, endpoint?.href, who, user])
    const images = new RuntimeImages({
      section: SECTION,
      settings: { ...settings, registry },
      defaultPath: imagePath(user),
      digests: {
        find: image => facts.find('digests', image),
        add: (image, digest) => facts.add('digests', image, digest),
        forget: image => facts.forget('digests', image),
      },
      log,
      login: server => this.#registry.login(server),
      beforePush: signal => this.#registry.ensureRepository(signal),
    })
    const deployments = new Deployments({
      deployer: new Deployer(this.#api, this.#secrets, this.#logs),
      images,
      invocations: this.#invocations,
      settings,
      user,
      facts,
      version: BACKEND_VERSION,
      log,
    })
    return { deployments, images }
  }
}

function registryOf(settings: CloudRunSettings, project: string): RegistrySettings {
  const {
    dockerServer,
    dockerUser,
    dockerPassword,
    region,
    repository: artifactRegistryRepository,
  } = settings
  return { dockerServer, dockerUser, dockerPassword, project, region, artifactRegistryRepository }
}

function capabilitiesOf(settings: CloudRunSettings): ComputeCapabilities {
  const { maxWorkers, workerProcesses, concurrency, timeoutMs } = settings
  return {
    synchronousReply: true,
    streamsReplies: true,
    maxPayloadBytes: REQUEST_BYTES - HEAD_BYTES,
    maxReplyBytes: Number.POSITIVE_INFINITY,
    maxTimeoutMs: timeoutMs,
    // each that is awaited holds a connection
    maxActivations: withinOpenFiles(maxWorkers * workerProcesses * concurrency),
    callsAtOnce: 1,
    activationsPerWorker: concurrency,
    sharesFileSystem: false,
    killsBusyCalls: true,
    freshWorkers: false,
    workersOutliveClient: true,
    placesSecrets: true,
    bringsPackages: true,
    bakesFunctions: settings.includesFunctions,
  }
}
