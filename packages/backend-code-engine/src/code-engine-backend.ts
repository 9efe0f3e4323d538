import {
  Batches,
  batchCapabilities,
  ImageCleaner,
  RuntimeImages,
  requestCapabilities,
  shortHash,
} from '@lithops/container-runtime'
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
import { ApplicationCalls } from './application-calls.ts'
import { ApplicationDeployer } from './application-deployer.ts'
import { CodeEngineClient } from './client.ts'
import { type CodeEngineConfig, type CodeEngineSettings, settingsOf } from './config.ts'
import { Deployments, type JobPlace, type ProjectFacts } from './deployments.ts'
import { Inventory } from './inventory.ts'
import { JobDeployer } from './job-deployer.ts'
import { JobRuns } from './job-runs.ts'
import { ACTIVE_INSTANCES } from './limits.ts'
import { WorkerLogs } from './logs.ts'
import { imagePath, userKey } from './names.ts'
import { policiesOf } from './policies.ts'
import { costUsd } from './prices.ts'
import { ProjectApi } from './project.ts'
import { KIND_NAMES } from './resources.ts'
import { RunRoom } from './run-room.ts'
import { BACKEND_VERSION } from './version.ts'

interface Opened {
  readonly deployments: Deployments
  readonly images: RuntimeImages
  readonly cleaner: ImageCleaner
  readonly batches: Batches<JobPlace>
  readonly applications: ApplicationCalls
}

/** Compute on IBM Code Engine: batches of jobs, or applications. */
export class CodeEngineBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'code_engine'
  readonly kind: 'faas' | 'batch'
  readonly defaultRuntime: RuntimeSpec
  readonly capabilities: ComputeCapabilities
  readonly #settings: CodeEngineSettings
  readonly #context: DriverContext
  readonly #user: string
  readonly #project: ProjectApi
  readonly #logs: WorkerLogs
  readonly #closing = new AbortController()
  #opened: Opened | undefined
  #isClosed: Promise<void> | undefined

  private constructor(config: CodeEngineConfig, context: DriverContext) {
    this.#settings = settingsOf(config)
    this.#context = context
    const { runtime: name, memoryMiB, timeoutMs, user, workload } = this.#settings
    this.kind = workload === 'jobs' ? 'batch' : 'faas'
    this.defaultRuntime = { name, memoryMiB, timeoutMs }
    this.capabilities = capabilitiesOf(this.#settings)
    this.#user = userKey(user ?? context.userName)
    const client = new CodeEngineClient(this.#settings)
    this.#project = new ProjectApi(client, { settings: this.#settings, user: this.#user, log: context.log })
    const { logsEndpoint } = this.#settings
    this.#logs = new WorkerLogs({ client, project: this.#project, endpoint: logsEndpoint })
  }

  /** Checks the config; does no I/O. */
  static open(config: CodeEngineConfig, context: DriverContext): CodeEngineBackend {
    const { worker_processes: processes = 1, workload } = config
    // configs of Lithops (Python) have it for jobs: no reason to refuse them
    if (processes > 1 && workload !== 'applications')
      context.log.warn(
        `code_engine.worker_processes is ${processes}, and an instance of a job runs its calls one after the other: give jobs a chunksize, ` +
          "or set code_engine.workload to 'applications', whose instances have that many processes",
      )
    return new CodeEngineBackend(config, context)
  }

  async buildRuntime(build: RuntimeBuild, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    await this.#open().images.build(build, signal)
  }

  async extendRuntime(
    extension: RuntimeExtension,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ExtendedRuntime> {
    signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    return this.#open().images.extend(extension, signal)
  }

  async deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    return this.#open().deployments.deploy(runtime, options)
  }

  async listRuntimes({ signal }: { readonly signal?: AbortSignal } = {}): Promise<readonly RuntimeListing[]> {
    const all = await this.#inventory().runtimes(signal)
    return all.map(({ kind: _, image: __, ...listing }) => listing)
  }

  async deleteRuntime(runtime: RuntimeSpec, options: DeleteOptions = {}): Promise<void> {
    const { signal } = options
    const inventory = this.#inventory()
    const { names, images } = await inventory.removeRuntime(runtime, options)
    const { deployments, cleaner } = this.#open()
    const gone = names.map(({ name }) => name)
    deployments.forget(gone)
    const kept = await inventory.imagesBeside(gone, signal)
    await cleaner.removeRuntime(runtime.name, images, kept, options)
  }

  async invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<ActivationReport> {
    const closing = this.#closing.signal
    closing.throwIfAborted()
    signal?.throwIfAborted()
    const place = this.#opened?.deployments.of(activation.runtime)
    if (this.#opened === undefined || place === undefined) {
      throw new InvocationError(
        `The runtime '${activation.runtime.name}' was not deployed by this program.`,
        {
          isRetryable: false,
        },
      )
    }
    const { batches, applications } = this.#opened
    if (this.kind === 'batch') return batches.run(activation, place, signal)
    try {
      return await applications.run(activation, place, { signal, onReply })
    } catch (error) {
      closing.throwIfAborted() // closing cuts the connections
      throw error
    }
  }

  async logs(query: LogQuery): Promise<string> {
    return this.#logs.find(query)
  }

  costOf(usage: RunUsage): number | undefined {
    const { region, memoryMiB, cpu, workload } = this.#settings
    const isOfConfig = usage.memoryMiB === memoryMiB
    return costUsd(
      { region, cpu: isOfConfig ? cpu : undefined, isApplication: workload === 'applications' },
      usage,
    )
  }

  policies(): readonly PlatformPolicy[] {
    return policiesOf(this.#settings)
  }

  async clean(options: CleanOptions = {}): Promise<readonly string[]> {
    const inventory = this.#inventory()
    if (!(await inventory.isThere(options.signal))) return []
    const { names, images } = await inventory.clean(options)
    const { deployments, cleaner } = this.#open()
    const gone = names.map(({ name }) => name)
    if (options.dryRun !== true) deployments.forget(gone)
    const kept = await inventory.imagesBeside(gone, options.signal)
    const removedImages = await cleaner.clean(images, kept, options)
    return [
      ...names.map(({ kind, name }) => `${KIND_NAMES[kind]} ${name}`),
      ...removedImages.map(name => `image ${name}`),
    ]
  }

  close(): Promise<void> {
    this.#isClosed ??= this.#close()
    return this.#isClosed
  }

  async #close(): Promise<void> {
    const error = new InvocationError('The backend code_engine is closed.', {
      code: 'LITHOPS_CLOSED',
      isRetryable: false,
    })
    this.#closing.abort(error)
    await this.#opened?.batches.close(error)
    await this.#opened?.applications.close()
  }

  #inventory(): Inventory {
    return new Inventory(this.#project, this.#user)
  }

  #open(): Opened {
    this.#opened ??= this.#makeParts()
    return this.#opened
  }

  #makeParts(): Opened {
    const settings = this.#settings
    const project = this.#project
    const user = this.#user
    const { log } = this.#context
    const facts = new KnownFacts<ProjectFacts>('code-engine', scopeOf(settings, user))
    const common = {
      section: this.name,
      settings: { ...settings, architecture: 'amd64' as const },
      digests: {
        find: (image: string) => facts.find('digests', image),
        add: (image: string, digest: string) => facts.add('digests', image, digest),
        forget: (image: string) => facts.forget('digests', image),
      },
      log,
      defaultPath: imagePath(user),
      owner: async () => shortHash([await project.projectId(), user]),
    }
    const images = new RuntimeImages(common)
    const room = new RunRoom({ project, user, log })
    const restore = (runtime: RuntimeSpec): Promise<void> => deployments.restore(runtime)
    const applications = new ApplicationCalls({
      timeoutMs: settings.timeoutMs,
      mostConnections: this.capabilities.maxActivations,
      restore: ({ runtime }) => restore(runtime),
    })
    const deployer =
      settings.workload === 'jobs'
        ? new JobDeployer({ project, settings, user, room, log })
        : new ApplicationDeployer({ project, settings, applications, log })
    const deployments: Deployments = new Deployments({
      project,
      images,
      deployer,
      settings,
      user,
      facts,
      version: BACKEND_VERSION,
      log,
    })
    const { maxWorkers } = settings
    const platform = new JobRuns({ project, user, room })
    const batches = new Batches({ platform, maxWorkers, log, restore })
    const cleaner = new ImageCleaner({ ...common, runtimes: [settings.runtime] })
    return { deployments, images, cleaner, batches, applications }
  }
}

function capabilitiesOf(settings: CodeEngineSettings): ComputeCapabilities {
  if (settings.workload === 'jobs') return batchCapabilities(settings)
  return requestCapabilities({
    ...settings,
    maxWorkers: Math.min(settings.maxWorkers, ACTIVE_INSTANCES),
    maxPayloadBytes: Number.POSITIVE_INFINITY,
  })
}

/** What tells projects, and ways to them, apart. */
function scopeOf(settings: CodeEngineSettings, user: string): readonly unknown[] {
  const { endpoint, apiKey, projectId, projectName, resourceGroupId } = settings
  return [endpoint, apiKey, projectId ?? projectName ?? '', resourceGroupId, user]
}
