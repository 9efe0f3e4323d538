import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { KubernetesJobs } from '../batch/kubernetes-jobs.ts'
import { FakeIam } from '../ibm/iam.ts'
import type { ContainerRuntime } from '../knative/containers/containers.ts'
import { PodmanContainers } from '../knative/containers/podman-containers.ts'
import { ProcessContainers } from '../knative/containers/process-containers.ts'
import { InjectedKnativeFault, type KnativeFault, type KnativeFaultScope } from '../knative/faults.ts'
import { ImageRegistry } from '../knative/images/image-registry.ts'
import { refusals } from './api-error.ts'
import { type ApiCall, ApiServer, type SeenApiRequest } from './api-server.ts'
import { CloudLogs } from './cloud-logs.ts'
import { type CodeEngineFault, type CodeEngineFaultScope, InjectedCodeEngineFault } from './faults.ts'
import { DEFAULT_QUOTAS, DEFAULT_TIMING, type FakeCodeEngineOptions } from './options.ts'
import { Project, type ProjectParts } from './project.ts'
import type { ResourceKind } from './resource-store.ts'

const API_KEY = 'an-api-key-of-the-stand-in'
const REGION = 'eu-de'
const PAGE_SIZE = 100

/**
 * A stand-in for IBM Code Engine and IAM, for `ibm-cloud-sdk-core`: projects with jobs, job runs, applications, config maps and
 * secrets. Workers are real: the images that were pushed run as containers of podman, as Jobs of
 * Kubernetes, or as processes.
 */
export class FakeCodeEngine implements AsyncDisposable {
  readonly region = REGION
  /** Who has it may do everything. */
  readonly apiKey = API_KEY
  readonly iam: FakeIam
  /** Registry of images, where they are run as processes: host and port; plain http. */
  readonly registry: ImageRegistry
  /** For programs that build images with the stand-in of podman. */
  readonly env: Readonly<Record<string, string>>
  readonly #options: FakeCodeEngineOptions
  readonly #parts: ProjectParts
  readonly #projects: Project[] = []
  readonly #faults: InjectedCodeEngineFault[]
  readonly #folder: string
  #api: ApiServer | undefined
  #cloudLogs: CloudLogs | undefined
  #closing: Promise<void> | undefined

  private constructor(
    options: FakeCodeEngineOptions,
    parts: { readonly iam: FakeIam; readonly registry: ImageRegistry; readonly runtime: ContainerRuntime },
  ) {
    this.#options = options
    this.iam = parts.iam
    this.registry = parts.registry
    this.#faults = []
    this.#parts = {
      runtime: parts.runtime,
      region: REGION,
      quotas: { ...DEFAULT_QUOTAS, ...options.quotas },
      timing: { ...DEFAULT_TIMING, ...options.timing },
      mostInstances: options.mostInstances ?? 4,
      faults: this.#faults,
      applicationFaults: [],
    }
    this.#folder = mkdtempSync(path.join(tmpdir(), 'lithops-fake-code-engine-'))
    this.env = { LITHOPS_STAND_IN_IMAGES: path.join(this.#folder, 'images') }
    for (const name of options.projects ?? []) this.#projects.push(new Project(name, this.#parts, 0))
  }

  /** Starts on free ports of the loopback. */
  static async start(options: FakeCodeEngineOptions = {}): Promise<FakeCodeEngine> {
    const iam = await FakeIam.start({ apiKey: API_KEY })
    const registry = options.registry ?? (await ImageRegistry.start(options.registryLogin))
    const runtime = runtimeOf(options, registry)
    const fake = new FakeCodeEngine(options, { iam, registry, runtime })
    fake.#api = await ApiServer.start({
      accepts: authorization => iam.accepts(authorization),
      answer: call => fake.#answer(call),
      faults: fake.#faults,
    })
    fake.#cloudLogs = await CloudLogs.start({
      accepts: authorization => iam.accepts(authorization),
      lines: () => fake.#projects.flatMap(({ lines }) => lines),
    })
    return fake
  }

  /** URL of the API. */
  get url(): string {
    return this.#api?.url ?? ''
  }

  /** Endpoint of an instance of IBM Cloud Logs that gets what instances write. */
  get logsUrl(): string {
    return this.#cloudLogs?.url ?? ''
  }

  /** Keys of the config section that lead here. */
  get section(): Readonly<Record<string, string>> {
    return {
      iam_api_key: this.apiKey,
      region: this.region,
      endpoint: this.url,
      iam_endpoint: this.iam.url,
    }
  }

  /** Requests of the API since the start, or since `clear`. */
  get requests(): readonly SeenApiRequest[] {
    return this.#api?.requests ?? []
  }

  /** How often each action of the API was asked for, by its name: 'POST job_runs'. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { action } of this.requests) counts[action] = (counts[action] ?? 0) + 1
    return counts
  }

  /** Bodies of job runs that were asked for, since the start or `clear`. */
  get runs(): readonly Readonly<Record<string, unknown>>[] {
    return this.requests
      .filter(({ action }) => action === 'POST job_runs')
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  }

  /** Activations of applications that have ended since the start or `clear`. */
  get activations() {
    return this.#projects.flatMap(({ applications }) => applications.requests)
  }

  /** Names of projects that are there. */
  get projects(): readonly string[] {
    return this.#projects.map(({ name }) => name)
  }

  /** Names of the things of a kind that are there. */
  names(kind: ResourceKind): string[] {
    return this.#projects.flatMap(({ stores }) => stores[kind].list().map(({ name }) => name))
  }

  /** The things of a kind as text, to search it. */
  text(kind: ResourceKind): string {
    return JSON.stringify(this.#projects.flatMap(({ stores }) => stores[kind].list()))
  }

  /** Everything that workers ever wrote. */
  get logs(): string {
    return this.#projects.map(({ runs, applications }) => runs.logs + applications.logs).join('\n')
  }

  /** Instances of job runs since the start. */
  get instanceCount(): number {
    return this.#projects.reduce((sum, { runs }) => sum + runs.instanceCount, 0)
  }

  /** Instances of job runs that run now. */
  get activeCount(): number {
    return this.#projects.reduce((sum, { runs }) => sum + runs.activeCount, 0)
  }

  /** Of the API, and of instances. */
  inject(fault: CodeEngineFault, scope: CodeEngineFaultScope = {}): InjectedCodeEngineFault {
    const injected = new InjectedCodeEngineFault(fault, scope)
    this.#faults.push(injected)
    return injected
  }

  /** Of requests to applications, which run on Knative. */
  injectIntoApplications(fault: KnativeFault, scope: KnativeFaultScope = {}): InjectedKnativeFault {
    const injected = new InjectedKnativeFault(fault, scope)
    this.#parts.applicationFaults.push(injected)
    return injected
  }

  /** Takes faults and what was seen away. */
  clear(): void {
    this.#faults.length = 0
    this.#parts.applicationFaults.length = 0
    if (this.#api !== undefined) this.#api.requests.length = 0
    for (const { applications } of this.#projects) applications.requests.length = 0
  }

  /** All tokens are good for nothing from now on; who asks IAM gets a new one. */
  expireTokens(): void {
    this.iam.revoke()
  }

  /** Removes something as somebody else would. */
  async remove(kind: ResourceKind, name: string): Promise<void> {
    for (const project of this.#projects)
      if (project.stores[kind].find(name) !== undefined) project.remove(kind, name)
  }

  /** Puts something there as somebody else would: nothing of it runs. */
  put(kind: ResourceKind, body: Readonly<Record<string, unknown>>): void {
    const [project] = this.#projects
    const made = project?.stores[kind].create(body)
    if (made !== undefined && typeof body.created_at === 'string')
      Object.assign(made, { created_at: body.created_at })
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
    await this.#api?.close()
    await this.#cloudLogs?.close()
    await Promise.all(this.#projects.map(project => project.close()))
    await this.#parts.runtime.close()
    await this.iam.close()
    await this.registry.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #answer(call: ApiCall): Promise<{ readonly status: number; readonly body?: unknown }> {
    const {
      method,
      path: [top, id, kind, name, ...more],
    } = call
    if (this.#options.isReader === true && method !== 'GET') throw refusals.forbidden('perform this action')
    if (top !== 'projects' || more.length > 0) throw refusals.notFound()
    if (id === undefined) return this.#projectsAnswer(call)
    const project = this.#projects.find(one => one.id === id)
    if (project === undefined) throw refusals.notFound()
    if (kind === undefined && method === 'GET') return { status: 200, body: project.view }
    if (!project.isActive) throw refusals.notFound()
    if (name === undefined && method === 'GET')
      return { status: 200, body: this.#page(kind as string, project.list(kind), call.query) }
    if (name === undefined && method === 'POST')
      return { status: 201, body: await project.create(kind, call.body) }
    if (name === undefined) throw refusals.notFound()
    switch (method) {
      case 'GET':
        return { status: 200, body: project.get(kind, name) }
      case 'PUT':
      case 'PATCH':
        return { status: 200, body: project.change(kind, name, call) }
      case 'DELETE':
        project.remove(kind, name)
        return { status: kind === 'config_maps' || kind === 'secrets' ? 204 : 202 }
      default:
        throw refusals.notFound()
    }
  }

  #projectsAnswer({ method, query, body }: ApiCall): { readonly status: number; readonly body: unknown } {
    if (method === 'GET')
      return {
        status: 200,
        body: this.#page(
          'projects',
          this.#projects.map(({ view }) => view),
          query,
        ),
      }
    const name = String(body.name ?? '')
    const isTaken =
      this.#projects.some(one => one.name === name) || this.#options.deletedProjects?.includes(name)
    if (isTaken) throw refusals.exists('project', name)
    const project = new Project(name, this.#parts, this.#parts.timing.projectMs)
    this.#projects.push(project)
    return { status: 202, body: project.view }
  }

  /** As the API pages its lists: `start` is a token of the platform's own. */
  #page(key: string, all: readonly object[], query: URLSearchParams): object {
    const limit = Math.min(Number(query.get('limit') ?? PAGE_SIZE), this.#options.pageSize ?? PAGE_SIZE)
    const token = query.get('start')
    const from = token === null ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8').split(':')[1])
    const next = from + limit
    const start = Buffer.from(`${randomUUID().slice(0, 4)}:${next}`).toString('base64url')
    return {
      limit,
      [key]: all.slice(from, next),
      ...(next < all.length ? { next: { start, href: `?start=${start}` } } : {}),
    }
  }
}

function runtimeOf(
  { containers, cluster }: FakeCodeEngineOptions,
  registry: ImageRegistry,
): ContainerRuntime {
  if (cluster !== undefined) return new KubernetesJobs(cluster)
  return containers === undefined ? new ProcessContainers(registry) : new PodmanContainers(containers)
}
