import { readFileSync } from 'node:fs'
import { ImageCleaner, RuntimeImages, shortHash, userKey } from '@lithops/container-runtime'
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
  withinOpenFiles,
} from '@lithops/core/driver'
import { isWithoutGateway, isWithoutRoute } from './answers.ts'
import { Cluster, kubeconfigPlaces } from './cluster.ts'
import { type KnativeConfig, type KnativeSettings, settingsOf } from './config.ts'
import { type ClusterFacts, Deployments } from './deployments.ts'
import { Inventory } from './inventory.ts'
import { Invocations } from './invocations.ts'
import { requestIdOf, WorkerLogs } from './logs.ts'
import { imagePath } from './names.ts'
import { policiesOf } from './policies.ts'
import { BACKEND_VERSION } from './version.ts'

/** Compute on Knative Serving. */
export class KnativeBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'knative'
  readonly kind = 'faas'
  readonly defaultRuntime: RuntimeSpec
  readonly capabilities: ComputeCapabilities
  readonly #settings: KnativeSettings
  readonly #cluster: Cluster
  readonly #context: DriverContext
  readonly #user: string
  readonly #invocations: Invocations
  readonly #closing = new AbortController()
  #opened:
    | {
        readonly deployments: Deployments
        readonly images: RuntimeImages
        readonly cleaner: ImageCleaner
      }
    | undefined

  private constructor(config: KnativeConfig, context: DriverContext) {
    this.#settings = settingsOf(config)
    this.#context = context
    const { runtime: name, memoryMiB, timeoutMs, user } = this.#settings
    this.defaultRuntime = { name, memoryMiB, timeoutMs }
    this.capabilities = capabilitiesOf(this.#settings)
    this.#user = userKey(user ?? context.userName)
    this.#cluster = new Cluster(this.#settings)
    this.#invocations = new Invocations(this.#cluster, this.capabilities.maxActivations)
  }

  /** Checks the config; does no I/O. */
  static open(config: KnativeConfig, context: DriverContext): KnativeBackend {
    return new KnativeBackend(config, context)
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
    return this.#inventory().services(signal)
  }

  async deleteRuntime(runtime: RuntimeSpec, options: DeleteOptions = {}): Promise<void> {
    const { signal } = options
    const inventory = this.#inventory()
    const { services, images } = await inventory.removeRuntime(runtime, options)
    const { deployments, cleaner } = this.#open()
    deployments.forget(services)
    const kept = await inventory.imagesBeside(services, signal)
    await cleaner.removeRuntime(runtime.name, images, kept, options)
  }

  async invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<ActivationReport> {
    const closing = this.#closing.signal
    closing.throwIfAborted()
    signal?.throwIfAborted()
    const { runtime, payload, repliesElsewhere = false } = activation
    const deployment = this.#opened?.deployments.of(runtime)
    if (deployment === undefined) {
      throw new InvocationError(`The runtime '${runtime.name}' was not deployed by this program.`, {
        isRetryable: false,
      })
    }
    const { serviceName, route, memoryMiB } = deployment
    const { timeoutMs } = this.#settings
    const goesOnAlone = repliesElsewhere
    const invocation = { serviceName, route, payload, timeoutMs, memoryMiB, goesOnAlone, onReply }
    try {
      const { podName, startedMs } = await this.#invocations.run({ ...invocation, signal })
      if (podName === undefined) return {}
      return { requestId: requestIdOf({ podName, startedMs, endedMs: Date.now() }) }
    } catch (error) {
      closing.throwIfAborted() // closing cuts the connections
      signal?.throwIfAborted()
      if (isWithoutRoute(error) || isWithoutGateway(error)) await this.#opened?.deployments.restore(runtime)
      throw error
    }
  }

  /** What workers wrote, as long as their pods are there. */
  async logs(query: LogQuery): Promise<string> {
    return new WorkerLogs(this.#cluster, this.#user).find(query)
  }

  policies(): readonly PlatformPolicy[] {
    return policiesOf(this.#settings)
  }

  async clean(options: CleanOptions = {}): Promise<readonly string[]> {
    const inventory = this.#inventory()
    const { services, secrets, images } = await inventory.clean(options)
    const { deployments, cleaner } = this.#open()
    if (options.dryRun !== true) deployments.forget(services)
    const kept = await inventory.imagesBeside(services, options.signal)
    const gone = await cleaner.clean(images, kept, options)
    return [...services, ...secrets.map(name => `secret ${name}`), ...gone.map(name => `image ${name}`)]
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(
      new InvocationError('The backend knative is closed.', {
        code: 'LITHOPS_CLOSED',
        isRetryable: false,
      }),
    )
    await this.#invocations.close()
  }

  #inventory(): Inventory {
    return new Inventory(this.#cluster, this.#user)
  }

  #open() {
    if (this.#opened === undefined) {
      const settings = this.#settings
      const { log } = this.#context
      const facts = new KnownFacts<ClusterFacts>('knative', scopeOf(settings, this.#user))
      const digests = {
        find: (image: string) => facts.find('digests', image),
        add: (image: string, digest: string) => facts.add('digests', image, digest),
        forget: (image: string) => facts.forget('digests', image),
      }
      const owner = async () => shortHash([...(await this.#cluster.place()), this.#user])
      const defaultPath = imagePath(this.#user)
      const common = { section: 'knative', settings, digests, log, defaultPath, owner }
      const images = new RuntimeImages(common)
      const deployments = new Deployments({
        cluster: this.#cluster,
        images,
        invocations: this.#invocations,
        settings,
        user: this.#user,
        facts,
        version: BACKEND_VERSION,
        log,
      })
      this.#opened = {
        deployments,
        images,
        cleaner: new ImageCleaner({ ...common, runtimes: [settings.runtime] }),
      }
    }
    return this.#opened
  }
}

function capabilitiesOf(settings: KnativeSettings): ComputeCapabilities {
  const { maxWorkers, workerProcesses, concurrency, timeoutMs } = settings
  return {
    synchronousReply: true,
    streamsReplies: true,
    maxPayloadBytes: Number.POSITIVE_INFINITY,
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

/** What tells clusters, and ways to them, apart: the kubeconfig by its content, since tokens of others see other things. */
function scopeOf(settings: KnativeSettings, user: string): readonly unknown[] {
  const { files, isInPod } = kubeconfigPlaces(settings)
  const { namespace, context, ingress, networkingLayer } = settings
  return [
    files.map(textOf),
    isInPod ? [process.env.KUBERNETES_SERVICE_HOST, process.env.HOSTNAME] : [],
    [namespace, context, ingress?.href, networkingLayer, user],
  ]
}

/** Empty for a file that is not there: what reads it in earnest says so. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
