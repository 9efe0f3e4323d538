import { randomUUID } from 'node:crypto'
import type { ContainerRuntime } from '../knative/containers/containers.ts'
import type { InjectedKnativeFault } from '../knative/faults.ts'
import { refusals } from './api-error.ts'
import type { ApiCall } from './api-server.ts'
import { Applications } from './applications.ts'
import { checkBody } from './check-body.ts'
import type { LoggedLine } from './cloud-logs.ts'
import type { InjectedCodeEngineFault } from './faults.ts'
import { JobRuns } from './job-runs.ts'
import type { CodeEngineQuotas, CodeEngineTiming } from './options.ts'
import { type ResourceKind, ResourceStore, type StoredResource } from './resource-store.ts'

export interface ProjectParts {
  readonly runtime: ContainerRuntime
  readonly region: string
  readonly quotas: CodeEngineQuotas
  readonly timing: CodeEngineTiming
  readonly mostInstances: number
  readonly faults: readonly InjectedCodeEngineFault[]
  readonly applicationFaults: InjectedKnativeFault[]
}

/** A project with everything in it. */
export class Project {
  readonly name: string
  readonly id = randomUUID()
  readonly stores: Readonly<Record<ResourceKind, ResourceStore>>
  readonly runs: JobRuns
  readonly applications: Applications
  readonly #region: string
  readonly #activeAtMs: number

  constructor(name: string, parts: ProjectParts, makingMs: number) {
    this.name = name
    this.#region = parts.region
    this.#activeAtMs = performance.now() + makingMs
    const store = (kind: ResourceKind) => new ResourceStore(kind, parts.quotas[kind])
    this.stores = {
      jobs: store('jobs'),
      job_runs: store('job_runs'),
      apps: store('apps'),
      config_maps: store('config_maps'),
      secrets: store('secrets'),
    }
    this.runs = new JobRuns({ ...parts, projectName: name, projectId: this.id, stores: this.stores })
    this.applications = new Applications({ ...parts, stores: this.stores, faults: parts.applicationFaults })
  }

  get isActive(): boolean {
    return performance.now() >= this.#activeAtMs
  }

  get view(): object {
    return {
      id: this.id,
      name: this.name,
      region: this.#region,
      resource_type: 'project_v2',
      status: this.isActive ? 'active' : 'creating',
    }
  }

  /** Whole lines that instances wrote. */
  get lines(): LoggedLine[] {
    const { name: project, id: projectId } = this
    return [...this.runs.lines, ...this.applications.lines.map(line => ({ ...line, project, projectId }))]
  }

  list(kind: string | undefined): readonly StoredResource[] {
    const store = this.#storeOf(kind)
    if (store.kind === 'apps') for (const app of store.list()) this.applications.tell(app)
    return store.list()
  }

  get(kind: string | undefined, name: string): StoredResource {
    const resource = this.#storeOf(kind).get(name)
    if (kind === 'apps') this.applications.tell(resource)
    return resource
  }

  async create(kind: string | undefined, body: Readonly<Record<string, unknown>>): Promise<StoredResource> {
    const store = this.#storeOf(kind)
    checkBody(store.kind, body)
    if (store.kind === 'job_runs' && body.job_name !== undefined) this.stores.jobs.get(String(body.job_name))
    const made = store.create(body)
    if (store.kind === 'job_runs') this.runs.made(made)
    if (store.kind === 'apps') {
      await this.applications.made(made)
      this.applications.tell(made)
    }
    return made
  }

  change(kind: string | undefined, name: string, { body, entityTag, method }: ApiCall): StoredResource {
    const store = this.#storeOf(kind)
    const isReplaced = store.kind === 'config_maps' || store.kind === 'secrets'
    if (store.kind === 'job_runs' || isReplaced !== (method === 'PUT')) throw refusals.notFound()
    checkBody(store.kind, { ...store.get(name), ...body })
    const changed = store.change(name, body, entityTag)
    if (store.kind === 'apps') {
      this.applications.changed(changed)
      this.applications.tell(changed)
    }
    return changed
  }

  remove(kind: string | undefined, name: string): void {
    const store = this.#storeOf(kind)
    store.remove(name)
    if (store.kind === 'job_runs') this.runs.removed(name)
    if (store.kind === 'apps') this.applications.removed(name)
    // its runs go with a job
    if (store.kind === 'jobs')
      for (const run of this.stores.job_runs.list())
        if (run.job_name === name) this.remove('job_runs', run.name)
  }

  async close(): Promise<void> {
    await this.runs.close()
    await this.applications.close()
  }

  #storeOf(kind: string | undefined): ResourceStore {
    const store = this.stores[kind as ResourceKind]
    if (store === undefined) throw refusals.notFound()
    return store
  }
}
