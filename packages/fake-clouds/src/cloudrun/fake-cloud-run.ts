import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ContainerRuntime } from '../knative/containers/containers.ts'
import { PodmanContainers } from '../knative/containers/podman-containers.ts'
import { ProcessContainers } from '../knative/containers/process-containers.ts'
import { InjectedKnativeFault, type KnativeFaultScope } from '../knative/faults.ts'
import { ImageRegistry } from '../knative/images/image-registry.ts'
import { Accounts } from './api/accounts.ts'
import { CloudLog } from './api/cloud-log.ts'
import { GoogleServer, type SeenApiRequest } from './api/google-server.ts'
import { SecretStore } from './api/secret-store.ts'
import type { CloudRunFault } from './faults.ts'
import { Executions } from './jobs/executions.ts'
import type { GivenJob } from './jobs/job-template.ts'
import { Jobs } from './jobs/jobs.ts'
import { type CloudRunTiming, DEFAULT_TIMING, type FakeCloudRunOptions } from './options.ts'
import type { SeenServiceRequest } from './serving/front.ts'
import { Operations } from './serving/operations.ts'
import { Services } from './serving/services.ts'
import type { GivenService } from './serving/template.ts'

const HOUR_MS = 3_600_000

/**
 * A stand-in for Google Cloud Run, for the official client over REST: services with long-running operations, a front end for each
 * that looks at ID tokens, instances that are scaled from zero; jobs with executions and tasks; and what clients need beside it: the token endpoint,
 * Secret Manager, Artifact Registry, Cloud Logging. Workers are real: the images that were pushed run as processes, or as containers
 * of podman.
 */
export class FakeCloudRun implements AsyncDisposable {
  readonly project: string
  readonly region: string
  /** Of all APIs. */
  readonly endpoint: string
  /** Path of the key of the caller's service account. */
  readonly credentialsPath: string
  /** Where images are pushed, by access tokens of the caller: host and port; plain http. */
  readonly registry: ImageRegistry
  /** For programs that use it. */
  readonly env: Readonly<Record<string, string>>
  readonly accounts: Accounts
  readonly secrets: SecretStore
  /** May be changed, for what begins from then on. */
  readonly timing: { -readonly [Key in keyof CloudRunTiming]: CloudRunTiming[Key] }
  /** Requests to services that have ended since the start, or since `clear`. */
  readonly serviceRequests: SeenServiceRequest[]
  readonly #folder: string
  readonly #api: GoogleServer
  readonly #services: Services
  readonly #jobs: Jobs
  readonly #executions: Executions
  readonly #runtime: ContainerRuntime
  readonly #log: CloudLog
  readonly #faults: InjectedKnativeFault[]
  #closing: Promise<void> | undefined

  private constructor(parts: {
    readonly region: string
    readonly timing: CloudRunTiming
    readonly accounts: Accounts
    readonly secrets: SecretStore
    readonly registry: ImageRegistry
    readonly api: GoogleServer
    readonly services: Services
    readonly jobs: Jobs
    readonly executions: Executions
    readonly runtime: ContainerRuntime
    readonly log: CloudLog
    readonly faults: InjectedKnativeFault[]
    readonly serviceRequests: SeenServiceRequest[]
  }) {
    this.project = parts.accounts.project
    this.region = parts.region
    this.accounts = parts.accounts
    this.timing = parts.timing
    this.secrets = parts.secrets
    this.registry = parts.registry
    this.serviceRequests = parts.serviceRequests
    this.#api = parts.api
    this.#services = parts.services
    this.#jobs = parts.jobs
    this.#executions = parts.executions
    this.#runtime = parts.runtime
    this.#log = parts.log
    this.#faults = parts.faults
    this.endpoint = parts.api.url
    this.#folder = mkdtempSync(path.join(tmpdir(), 'lithops-fake-cloudrun-'))
    this.credentialsPath = path.join(this.#folder, 'key.json')
    writeFileSync(this.credentialsPath, parts.accounts.keyFile(`${this.endpoint}/token`), { mode: 0o600 })
    this.env = {
      GOOGLE_APPLICATION_CREDENTIALS: this.credentialsPath,
      LITHOPS_STAND_IN_IMAGES: path.join(this.#folder, 'images'),
    }
  }

  /** Starts on free ports of the loopback. */
  static async start(options: FakeCloudRunOptions = {}): Promise<FakeCloudRun> {
    const { region = 'us-east1', permissions, tokenMs = HOUR_MS, quota, mostInstances = 4 } = options
    const timing = { ...DEFAULT_TIMING, ...options.timing }
    const accounts = new Accounts({ permissions, tokenMs })
    const registry = await ImageRegistry.start(
      ({ user, password }) => user === 'oauth2accesstoken' && accounts.isAccess(password),
    )
    const runtime =
      options.containers === undefined
        ? new ProcessContainers(registry)
        : new PodmanContainers(options.containers)
    const parent = `projects/${accounts.project}/locations/${region}`
    const operations = new Operations(parent)
    const secrets = new SecretStore(accounts.number, timing)
    const log = new CloudLog(timing.logMs)
    const faults: InjectedKnativeFault[] = []
    const serviceRequests: SeenServiceRequest[] = []
    const pullLogin =
      options.containers === undefined
        ? { user: 'oauth2accesstoken', password: accounts.agentToken }
        : undefined
    const parts = {
      ...{ parent, region, operations, accounts, secrets, log, runtime, pullLogin },
      ...{ timing, quota, mostInstances, faults },
    }
    const services = new Services({ ...parts, seen: request => serviceRequests.push(request) })
    const executions = new Executions(parts)
    const jobs = new Jobs(parts, executions)
    const api = await GoogleServer.start({
      ...{ accounts, services, jobs, executions, operations, secrets, log, registry, parent, faults },
      repositories: new Set(),
    })
    return new FakeCloudRun({
      ...{
        region,
        timing,
        accounts,
        secrets,
        registry,
        api,
        services,
        jobs,
        executions,
        runtime,
        log,
        faults,
        serviceRequests,
      },
    })
  }

  /** Requests of APIs since the start, or since `clear`. */
  get requests(): readonly SeenApiRequest[] {
    return this.#api.requests
  }

  /** How often each action of the APIs was asked for, by its name: 'create service'. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { action } of this.#api.requests) counts[action] = (counts[action] ?? 0) + 1
    return counts
  }

  /** Activations that have ended. */
  get activations(): readonly SeenServiceRequest[] {
    return this.serviceRequests.filter(({ method }) => method === 'POST')
  }

  get services(): readonly string[] {
    return this.#services.names
  }

  /** How a service was asked for last. */
  service(name: string): GivenService | undefined {
    return this.#services.given(name)
  }

  get jobs(): readonly string[] {
    return this.#jobs.names
  }

  /** How a job was asked for last. */
  job(name: string): GivenJob | undefined {
    return this.#jobs.given(name)
  }

  /** Names of executions that are there. */
  get executions(): readonly string[] {
    return this.#executions.names
  }

  /** Tasks that run. */
  get taskCount(): number {
    return this.#executions.activeCount
  }

  /** Tasks that have begun since the start. */
  get startedTasks(): number {
    return this.#executions.startedCount
  }

  /** What the API shows of executions, to search it. */
  get executionText(): string {
    return this.#executions.text
  }

  /** Makes a job as somebody else would. */
  putJob(name: string, job: GivenJob): void {
    this.#jobs.create(name, job)
  }

  /** All jobs that there are were made, changed and run so much earlier. */
  ageJobs(ms: number): void {
    this.#jobs.age(ms)
  }

  /** Removes a job, with its executions, as somebody else would. */
  removeJob(name: string): void {
    this.#jobs.drop(name)
  }

  /** Removes an execution as somebody else would. */
  removeExecution(name: string): void {
    this.#executions.remove(name)
  }

  /** Instances that run, of all services. */
  get instanceCount(): number {
    return this.#services.instanceCount
  }

  /** Everything that workers, and the platform about them, ever wrote. */
  get logs(): string {
    return this.#log.text
  }

  inject(fault: CloudRunFault, scope: KnativeFaultScope = {}): InjectedKnativeFault {
    const injected = new InjectedKnativeFault(fault, scope)
    this.#faults.push(injected)
    return injected
  }

  /** Takes faults and what was seen away. */
  clear(): void {
    this.#faults.length = 0
    this.#api.requests.length = 0
    this.serviceRequests.length = 0
    this.registry.requests.length = 0
  }

  /** Removes a service as somebody else would. */
  removeService(name: string): void {
    this.#services.remove(name)
  }

  /** May be called twice. Nothing of it is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    await this.#api.close()
    await this.#services.close()
    await this.#executions.close()
    await this.#runtime.close()
    await this.registry.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
