import { Batches, ImageCleaner, RuntimeImages, shortHash, userKey } from '@lithops/container-runtime'
import {
  type Activation,
  type ActivationReport,
  type CleanOptions,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  type DeleteOptions,
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
} from '@lithops/core/driver'
import { isWithoutService } from './answers.ts'
import { ArtifactRegistry } from './artifact-registry.ts'
import { capabilitiesOf } from './capabilities.ts'
import { type CloudRunConfig, type CloudRunSettings, settingsOf } from './config.ts'
import { Deployer } from './deployer.ts'
import { Deployments, type ProjectFacts, type RuntimePlace, type Workers } from './deployments.ts'
import { ExecutionApi } from './execution-api.ts'
import { GoogleAccount } from './google-account.ts'
import { Inventory } from './inventory.ts'
import { Invocations } from './invocations.ts'
import { JobApi } from './job-api.ts'
import { JobExecutions, type JobPlace } from './job-executions.ts'
import { jobRoom } from './job-room.ts'
import { JobWorkers } from './job-workers.ts'
import { requestIdOf, WorkerLogs } from './logs.ts'
import { imagePath } from './names.ts'
import { jobOf, secretsIn, secretsSeenByJob, secretsSeenByService, serviceOf } from './objects.ts'
import { policiesOf } from './policies.ts'
import { costUsd } from './prices.ts'
import { registryOf } from './registry-settings.ts'
import type { ResourceApi, RunResource } from './resource-api.ts'
import { RunClients } from './run-clients.ts'
import { ServiceSecrets } from './secrets.ts'
import { ServiceApi } from './service-api.ts'
import { ServiceWorkers } from './service-workers.ts'
import { BACKEND_VERSION } from './version.ts'

const SECTION = 'gcp_cloudrun'
/** A request is billed in steps of so many milliseconds. From: "Cloud Run pricing". */
const BILLED_STEP_MS = 100

interface Opened {
  readonly deployments: Deployments
  readonly images: RuntimeImages
  readonly cleaner: ImageCleaner
}

/** Compute on Google Cloud Run: services, or jobs. */
export class CloudRunBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = SECTION
  readonly kind: 'faas' | 'batch'
  readonly defaultRuntime: RuntimeSpec
  readonly capabilities: ComputeCapabilities
  readonly #settings: CloudRunSettings
  readonly #context: DriverContext
  readonly #user: string
  readonly #account: GoogleAccount
  readonly #clients: RunClients
  readonly #services: ServiceApi
  readonly #jobs: JobApi
  readonly #executions: ExecutionApi
  readonly #batches: Batches<JobPlace>
  readonly #logs: WorkerLogs
  readonly #secrets: ServiceSecrets
  readonly #registry: ArtifactRegistry
  readonly #invocations: Invocations
  readonly #closing = new AbortController()
  #opening: Promise<Opened> | undefined

  private constructor(config: CloudRunConfig, context: DriverContext) {
    this.#settings = settingsOf(config)
    this.#context = context
    const { runtime: name, memoryMiB, timeoutMs, user, endpoint, workload, maxWorkers } = this.#settings
    this.kind = workload === 'jobs' ? 'batch' : 'faas'
    this.defaultRuntime = { name, memoryMiB, timeoutMs }
    this.capabilities = capabilitiesOf(this.#settings)
    this.#user = userKey(user ?? context.userName)
    this.#account = new GoogleAccount(this.#settings)
    this.#clients = new RunClients(this.#account, this.#settings)
    this.#services = new ServiceApi(this.#clients)
    this.#executions = new ExecutionApi(this.#clients)
    this.#jobs = new JobApi(this.#clients, this.#executions)
    this.#logs = new WorkerLogs(this.#account, this.#settings, this.#user)
    this.#secrets = new ServiceSecrets(this.#account, endpoint, this.#user)
    this.#registry = new ArtifactRegistry(this.#account, this.#settings)
    this.#invocations = new Invocations(this.#account, this.#logs, this.capabilities.maxActivations)
    this.#batches = new Batches({
      platform: new JobExecutions(this.#executions),
      maxWorkers,
      log: context.log,
      restore: async runtime => (await this.#open()).deployments.restore(runtime),
    })
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
    const all = await this.#inventory().runtimes(signal)
    return all.map(({ noun: _, image: __, ...listing }) => listing)
  }

  async deleteRuntime(runtime: RuntimeSpec, options: DeleteOptions = {}): Promise<void> {
    const { signal } = options
    const inventory = this.#inventory()
    const { workerNames, images } = await inventory.removeRuntime(runtime, options)
    const { deployments, cleaner } = await this.#open()
    deployments.forget(workerNames)
    const kept = await inventory.imagesBeside(workerNames, signal)
    await cleaner.removeRuntime(runtime.name, images, kept, options)
  }

  async invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<ActivationReport> {
    const closing = this.#closing.signal
    closing.throwIfAborted()
    signal?.throwIfAborted()
    const { runtime } = activation
    const { deployments } = (await this.#opening) ?? {}
    const deployment = deployments?.of(runtime)
    if (deployment === undefined) {
      throw new InvocationError(`The runtime '${runtime.name}' was not deployed by this program.`, {
        isRetryable: false,
      })
    }
    closing.throwIfAborted()
    if (this.kind === 'batch') {
      const { serviceName: jobName, memoryMiB } = deployment
      const { timeoutMs } = this.#settings
      return this.#batches.run(activation, { jobName, memoryMiB, timeoutMs }, signal)
    }
    try {
      return await this.#request(activation, deployment, { signal, onReply })
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
    const { region, cpu, workerProcesses, concurrency, workload } = this.#settings
    const isJob = workload === 'jobs'
    return costUsd(region, usage, { cpu, requestsAtOnce: workerProcesses * concurrency, isJob })
  }

  policies(): readonly PlatformPolicy[] {
    return policiesOf(this.#settings)
  }

  async clean(options: CleanOptions = {}): Promise<readonly string[]> {
    const inventory = this.#inventory()
    const { workerNames, texts, images } = await inventory.clean(options)
    const { deployments, cleaner } = await this.#open()
    if (options.dryRun !== true) deployments.forget(workerNames)
    const kept = await inventory.imagesBeside(workerNames, options.signal)
    const gone = await cleaner.clean(images, kept, options)
    return [...texts, ...gone.map(name => `image ${name}`)]
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    const error = new InvocationError(`The backend ${SECTION} is closed.`, {
      code: 'LITHOPS_CLOSED',
      isRetryable: false,
    })
    this.#closing.abort(error)
    await this.#batches.close(error)
    await this.#invocations.close()
    await this.#clients.close()
  }

  async #request(
    { payload, repliesElsewhere: goesOnAlone = false, executorId, jobId }: Activation,
    { serviceName, url = '', memoryMiB }: RuntimePlace,
    { signal, onReply }: InvokeOptions,
  ): Promise<ActivationReport> {
    const { timeoutMs } = this.#settings
    const invocation = { serviceName, url, payload, timeoutMs, memoryMiB, goesOnAlone, onReply, signal }
    const { ranMs, startedMs } = await this.#invocations.run(invocation)
    const jobKey = `${executorId}-${jobId}`
    return {
      requestId: requestIdOf({ serviceName, jobKey, startedMs, endedMs: Date.now() }),
      billedMs: Math.ceil(ranMs / BILLED_STEP_MS) * BILLED_STEP_MS,
    }
  }

  #inventory(): Inventory {
    const apis: ResourceApi<RunResource>[] = [this.#services, this.#jobs]
    return new Inventory({
      apis: this.kind === 'batch' ? apis.reverse() : apis,
      secrets: this.#secrets,
      registry: this.#registry,
      user: this.#user,
      log: this.#context.log,
    })
  }

  #open(): Promise<Opened> {
    if (this.#opening === undefined) {
      const opening = this.#openProject()
      opening.catch(() => {
        this.#opening = undefined
      })
      this.#opening = opening
    }
    return this.#opening
  }

  async #openProject(): Promise<Opened> {
    const { log } = this.#context
    const [settings, user, project] = [this.#settings, this.#user, await this.#account.project()]
    const registry = registryOf(settings, project)
    const who = this.#account.given?.content.client_email
    const { region, endpoint } = settings
    const facts = new KnownFacts<ProjectFacts>('gcp-cloudrun', [project, region, endpoint?.href, who, user])
    const common = {
      section: SECTION,
      settings: { ...settings, registry },
      digests: {
        find: (image: string) => facts.find('digests', image),
        add: (image: string, digest: string) => facts.add('digests', image, digest),
        forget: (image: string) => facts.forget('digests', image),
      },
      log,
      login: (server: string) => this.#registry.login(server),
      owner: async () => shortHash([project, region, user]),
    }
    const images = new RuntimeImages({
      ...common,
      defaultPath: imagePath(user),
      beforePush: signal => this.#registry.ensureRepository(signal),
    })
    const cleaner = new ImageCleaner({
      ...common,
      // of Artifact Registry they go as one package
      defaultPath: this.#registry.isUsed ? undefined : imagePath(user),
      runtimes: [settings.runtime],
      remove: (image, signal) => this.#registry.removeVersion(image, signal),
    })
    const deployments = new Deployments({
      workers: this.#workers(),
      images,
      settings,
      user,
      facts,
      version: BACKEND_VERSION,
      log,
    })
    return { deployments, images, cleaner }
  }

  #workers(): Workers {
    const [secrets, logs, user] = [this.#secrets, this.#logs, this.#user]
    if (this.kind === 'faas') {
      const deployer = new Deployer({
        api: this.#services,
        secrets,
        logs,
        objectOf: serviceOf,
        secretsSeenBy: secretsSeenByService,
      })
      return new ServiceWorkers(deployer, this.#invocations)
    }
    const [jobs, executions] = [this.#jobs, this.#executions]
    const room = jobRoom({ jobs, executions, secrets, user, log: this.#context.log })
    const deployer = new Deployer({
      api: jobs,
      secrets,
      logs,
      objectOf: jobOf,
      secretsSeenBy: secretsSeenByJob,
      secretsInUse: async (job, options) =>
        (await executions.list(job, options)).flatMap(({ isOver, variables }) =>
          isOver ? [] : (secretsIn(variables) ?? []),
        ),
      makeRoom: options => room.make(options),
    })
    return new JobWorkers({ deployer, jobs, executions, logs })
  }
}
