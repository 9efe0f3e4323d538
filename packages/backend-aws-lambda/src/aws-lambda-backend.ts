import {
  type Activation,
  type ActivationReport,
  type Cancellation,
  type CleanOptions,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type ComputeCapabilities,
  ConfigError,
  type DeleteOptions,
  type DeployOptions,
  type DriverContext,
  type ExtendedRuntime,
  InvocationError,
  type InvokeOptions,
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
import { AccountFacts } from './account-facts.ts'
import { AwsClients } from './clients.ts'
import { type AwsLambdaConfig, type AwsLambdaSettings, settingsOf } from './config.ts'
import { Deployments, isGone } from './deployments.ts'
import { Inventory } from './inventory.ts'
import { Invocations, type Reply } from './invocations.ts'
import { ASYNC_PAYLOAD_BYTES, EVENT_PAUSE_MS, messageBytes, SYNC_PAYLOAD_BYTES } from './limits.ts'
import { WorkerLogs } from './logs.ts'
import { isManaged, managedRuntime, withFunctions } from './managed-runtimes.ts'
import { userKey } from './names.ts'
import { policiesOf } from './policies.ts'
import { costUsd } from './prices.ts'
import { SignalCancellation } from './signal-cancellation.ts'
import { BACKEND_VERSION } from './version.ts'

/** An event is a list with the message. */
const LIST_BEGIN = Buffer.from('[')
const LIST_END = Buffer.from(']')
const EVENT_BYTES = 2
/** Requests of quick calls that wait here, so that a connection sends the next one in the step in which it is free. */
const REQUESTS_AHEAD = 32
const QUOTE = '"'.charCodeAt(0)

/** Compute on AWS Lambda. */
export class AwsLambdaBackend implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'aws_lambda'
  readonly kind = 'faas'
  readonly defaultRuntime: RuntimeSpec
  capabilities: ComputeCapabilities
  readonly #settings: AwsLambdaSettings
  readonly #clients: AwsClients
  readonly #context: DriverContext
  readonly #invocations: Invocations
  readonly #config: AwsLambdaConfig
  readonly #closing = new AbortController()
  #deployments: Promise<Deployments> | undefined
  #readyDeployments: Deployments | undefined
  #region = '*'

  private constructor(config: AwsLambdaConfig, context: DriverContext) {
    this.#config = config
    this.#settings = settingsOf(config)
    this.#context = context
    const { runtime: name, memoryMiB, timeoutMs, maxWorkers } = this.#settings
    this.defaultRuntime = { name, memoryMiB, timeoutMs }
    this.capabilities = capabilitiesOf(this.#settings, withinOpenFiles(maxWorkers))
    this.#clients = new AwsClients(config)
    this.#invocations = new Invocations(this.#clients, () => this.capabilities.maxActivations)
  }

  /** Checks the config; does no I/O. */
  static open(config: AwsLambdaConfig, context: DriverContext): AwsLambdaBackend {
    return new AwsLambdaBackend(config, context)
  }

  async deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}): Promise<RuntimeMetadata> {
    options.signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    const deployments = await this.#open()
    return deployments.deploy(runtime, options)
  }

  async buildRuntime(build: RuntimeBuild, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    if (isManaged(build.name))
      throw new ConfigError(
        `The runtime '${build.name}' is not built: deploying it needs no Dockerfile. Give the image a name of its own, such as my-runtime:1.`,
      )
    await (await (await this.#open()).images()).build(build, signal)
  }

  /** Of a container image a new image; of a runtime of Lambda's own a new name, which tells what code to deploy. */
  async extendRuntime(
    extension: RuntimeExtension,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ExtendedRuntime> {
    signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    const { base, functions } = extension
    const managed = managedRuntime(base)
    if (managed === undefined) return (await (await this.#open()).images()).extend(extension, signal)
    const name = withFunctions(managed, functions)
    const isThere = (await this.listRuntimes(signal === undefined ? {} : { signal })).some(
      one => one.name === name,
    )
    return { name, isBuilt: !isThere, functions }
  }

  async listRuntimes({ signal }: { readonly signal?: AbortSignal } = {}): Promise<readonly RuntimeListing[]> {
    return (await this.#inventory()).functions(signal)
  }

  async deleteRuntime(runtime: RuntimeSpec, options: DeleteOptions = {}): Promise<void> {
    const removed = await (await this.#inventory()).removeRuntime(runtime, options)
    ;(await this.#open()).forget(removed)
  }

  invoke(activation: Activation, options: InvokeOptions): Promise<ActivationReport> {
    try {
      return this.#invoke(activation, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** In the fewest steps, since there are thousands of these in a second. */
  #invoke(activation: Activation, options: InvokeOptions): Promise<ActivationReport> {
    const cancellation = cancellationOf(options)
    this.#closing.signal.throwIfAborted()
    if (cancellation?.isRequested) throw cancellation.reason
    const { runtime } = activation
    const deployment = this.#readyDeployments?.of(runtime)
    if (deployment === undefined) {
      throw new InvocationError(`The runtime '${runtime.name}' was not deployed by this program.`, {
        isRetryable: false,
      })
    }
    const { functionName } = deployment
    const { timeoutMs } = this.#settings
    const message = quotedBase64(activation.payload)
    const failed = (error: unknown) => this.#failed(error, runtime)
    if (this.#isEvent(activation, message.length)) {
      const payload = Buffer.concat([LIST_BEGIN, message, LIST_END])
      return this.#invocations
        .enqueue({ functionName, timeoutMs, cancellation, payload })
        .then(acceptedIn, failed)
    }
    return this.#invocations.run({ functionName, timeoutMs, cancellation, payload: message }).then(reply => {
      const { body } = reply
      if (body.length > 2) options.onReply(Buffer.from(body.toString('latin1', 1, body.length - 1), 'base64'))
      return reportOf(reply)
    }, failed)
  }

  async #failed(error: unknown, runtime: RuntimeSpec): Promise<never> {
    this.#closing.signal.throwIfAborted() // closing cuts the connections
    if (isGone(error)) await this.#readyDeployments?.redeploy(runtime)
    throw error
  }

  /** Where results come by a monitor, nobody need hold a connection; unless the message is too large for an event. */
  #isEvent({ repliesElsewhere = false }: Activation, bytes: number): boolean {
    const { invocation } = this.#settings
    if (invocation === 'async') return true
    return invocation === 'auto' && repliesElsewhere && bytes + EVENT_BYTES <= ASYNC_PAYLOAD_BYTES
  }

  /** Makes connections and credentials ready while functions are still being captured. */
  prepare(): void {
    if (!this.#closing.signal.aborted) void this.#clients.keys().catch(() => {})
  }

  async logs(query: LogQuery): Promise<string> {
    const names = (await (await this.#inventory()).functions(query.signal)).map(
      ({ workerName }) => workerName,
    )
    return new WorkerLogs(this.#clients).find(query, names)
  }

  costOf(usage: RunUsage): number | undefined {
    return costUsd(this.#region, usage, this.#settings)
  }

  policies(): readonly PlatformPolicy[] {
    const { region = '*', account_id: accountId = '*' } = this.#config
    return policiesOf({ region, accountId, settings: this.#settings })
  }

  async clean(options: CleanOptions = {}): Promise<readonly string[]> {
    const removed = await (await this.#inventory()).clean(options)
    if (options.dryRun !== true) (await this.#open()).forget(removed)
    return removed
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(
      new InvocationError('The backend aws_lambda is closed.', {
        code: 'LITHOPS_CLOSED',
        isRetryable: false,
      }),
    )
    await this.#invocations.close()
    await this.#clients.close()
  }

  #open(): Promise<Deployments> {
    if (this.#deployments === undefined) {
      this.#deployments = this.#openDeployments()
      this.#deployments.catch(() => {
        this.#deployments = undefined
      })
    }
    return this.#deployments
  }

  async #openDeployments(): Promise<Deployments> {
    const clients = this.#clients
    const [region, endpoint, keys] = await Promise.all([clients.region(), clients.endpoint(), clients.keys()])
    this.#region = region
    const facts = new AccountFacts([region, endpoint.href, keys.accessKeyId])
    await this.#respectLimit(facts)
    this.#readyDeployments = new Deployments({
      clients,
      invocations: this.#invocations,
      settings: this.#settings,
      facts,
      version: BACKEND_VERSION,
      log: this.#context.log,
    })
    return this.#readyDeployments
  }

  async #inventory(): Promise<Inventory> {
    const { userId } = await (await this.#open()).identity()
    const naming = { namespace: this.#settings.namespace, userKey: userKey(userId) }
    return new Inventory(this.#clients, naming, await (await this.#open()).images(), this.#context.log)
  }

  /** More than the account's concurrency would only be refused. */
  async #respectLimit(facts: AccountFacts): Promise<void> {
    const { log } = this.#context
    if (facts.concurrency === undefined) {
      try {
        const { GetAccountSettingsCommand } = await import('@aws-sdk/client-lambda')
        const { AccountLimit } = await (await this.#clients.lambda()).send(new GetAccountSettingsCommand({}))
        if (AccountLimit?.ConcurrentExecutions !== undefined)
          facts.concurrency = AccountLimit.ConcurrentExecutions
      } catch (error) {
        // without the right to ask, refusals tell; wrong keys are the error of what comes next
        log.debug(`the concurrency of the account is not known: ${(error as Error).message}`)
      }
    }
    const { maxWorkers } = this.#settings
    // each activation that is awaited holds a connection
    const most = withinOpenFiles(Math.min(maxWorkers, facts.concurrency ?? Number.POSITIVE_INFINITY))
    if (most < maxWorkers) log.debug(`${most} activations at once, the account's limit or this machine's`)
    this.capabilities = capabilitiesOf(this.#settings, most)
  }
}

function capabilitiesOf(settings: AwsLambdaSettings, maxActivations: number): ComputeCapabilities {
  const isAsync = settings.invocation === 'async'
  const payloadBytes = isAsync ? ASYNC_PAYLOAD_BYTES - EVENT_BYTES : SYNC_PAYLOAD_BYTES
  return {
    synchronousReply: !isAsync,
    streamsReplies: false,
    maxPayloadBytes: messageBytes(payloadBytes),
    maxReplyBytes: messageBytes(SYNC_PAYLOAD_BYTES),
    maxTimeoutMs: settings.timeoutMs,
    maxActivations,
    prefetch: Math.min(maxActivations, REQUESTS_AHEAD),
    callsAtOnce: 1,
    sharesFileSystem: false,
    // an event's worker ends itself too, but nobody says so
    killsBusyCalls: !isAsync,
    freshWorkers: false,
    maxStartDelayMs: settings.maximumEventAgeS * 1000,
    restartAfterMs: EVENT_PAUSE_MS,
    workersOutliveClient: true,
    takesCancellations: true,
    placesSecrets: true,
    bringsPackages: true,
    bakesFunctions: settings.includesFunctions,
  }
}

/** Core gives one that is cheaper than a signal. */
function cancellationOf(options: InvokeOptions): Cancellation | undefined {
  const { cancellation } = options
  if (cancellation !== undefined) return cancellation
  return options.signal === undefined ? undefined : new SignalCancellation(options.signal)
}

function reportOf({ requestId, billedMs }: Reply): ActivationReport {
  if (requestId === undefined) return billedMs === undefined ? {} : { billedMs }
  return billedMs === undefined ? { requestId } : { requestId, billedMs }
}

function acceptedIn({ requestId }: Reply): ActivationReport {
  return requestId === undefined ? { isOnlyAccepted: true } : { isOnlyAccepted: true, requestId }
}

/** As a JSON text in base64, in the bytes that are hashed and sent. */
function quotedBase64(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  const quoted = Buffer.allocUnsafe(text.length + 2)
  quoted[0] = QUOTE
  quoted.write(text, 1, 'latin1')
  quoted[text.length + 1] = QUOTE
  return quoted
}
