import { randomUUID } from 'node:crypto'
import {
  type ContainerEnd,
  type ContainerRuntime,
  PullError,
  type PullLogin,
} from '../../knative/containers/containers.ts'
import type { KnativeFaults } from '../../knative/faults.ts'
import type { Accounts } from '../api/accounts.ts'
import type { CloudLog } from '../api/cloud-log.ts'
import { refusals } from '../api/refusal.ts'
import type { SecretStore } from '../api/secret-store.ts'
import type { CloudRunQuota, CloudRunTiming } from '../options.ts'
import { environmentFor } from './environment.ts'
import { Front, type SeenServiceRequest } from './front.ts'
import type { LogStream } from './instance.ts'
import { type Condition, NotReady } from './not-ready.ts'
import { type Operation, OperationFailure, type Operations } from './operations.ts'
import { Revision } from './revision.ts'
import { type GivenService, type RevisionTemplate, readService } from './template.ts'

export interface ServicesOptions {
  readonly parent: string
  readonly region: string
  readonly operations: Operations
  readonly accounts: Accounts
  readonly secrets: SecretStore
  readonly log: CloudLog
  readonly runtime: ContainerRuntime
  /** Of the platform itself, where the registry asks for one. */
  readonly pullLogin: PullLogin | undefined
  readonly timing: CloudRunTiming
  readonly quota: CloudRunQuota | undefined
  readonly mostInstances: number
  readonly faults: KnativeFaults
  readonly seen: (request: SeenServiceRequest) => void
}

interface StoredService {
  given: GivenService
  readonly uid: string
  readonly createTime: string
  etag: string
  generation: number
  observedGeneration: number
  condition: Condition
  ready: Revision | undefined
  latest: string
  deleteTime: string | undefined
  readonly front: Front
}

const TYPE = 'type.googleapis.com/google.cloud.run.v2.Service'
const FAILED_PRECONDITION = 9
const PAGE = 2

/** The services of one project and region: what they are, and the controller that makes them so. */
export class Services {
  readonly #options: ServicesOptions
  readonly #services = new Map<string, StoredService>()
  readonly #revisions = new Set<Revision>()
  readonly #fronts: Front[] = []
  #isClosed = false

  constructor(options: ServicesOptions) {
    this.#options = options
  }

  get names(): string[] {
    return [...this.#services.keys()]
  }

  /** As it was given, to look at it. */
  given(id: string): GivenService | undefined {
    return this.#services.get(id)?.given
  }

  get instanceCount(): number {
    return [...this.#revisions].reduce((sum, { instanceCount }) => sum + instanceCount, 0)
  }

  async create(id: string, given: GivenService): Promise<Operation> {
    const template = readService(id, given, this.#options.quota)
    if (this.#services.has(id)) throw refusals.exists(`Resource '${id}'`)
    const { accounts, faults, seen } = this.#options
    const now = new Date().toISOString()
    // the name is taken before the address is there
    const front = await Front.start({ service: id, accounts, faults, seen })
    if (this.#services.has(id)) {
      await front.close()
      throw refusals.exists(`Resource '${id}'`)
    }
    this.#fronts.push(front)
    const service: StoredService = {
      given,
      uid: randomUUID(),
      createTime: now,
      etag: `"${randomUUID()}"`,
      generation: 1,
      observedGeneration: 0,
      condition: { type: 'Ready', state: 'CONDITION_RECONCILING' },
      ready: undefined,
      latest: '',
      deleteTime: undefined,
      front,
    }
    this.#services.set(id, service)
    return this.#reconcile(id, service, template)
  }

  update(id: string, given: GivenService): Operation {
    const service = this.#find(id)
    if (given.etag !== undefined && given.etag !== '' && given.etag !== service.etag)
      throw refusals.aborted(this.#full(id))
    const template = readService(id, given, this.#options.quota)
    service.given = given
    service.generation++
    service.etag = `"${randomUUID()}"`
    return this.#reconcile(id, service, template)
  }

  remove(id: string): Operation {
    const service = this.#find(id)
    const { operations, timing } = this.#options
    service.deleteTime = new Date().toISOString()
    service.front.revision = undefined
    return operations.begin(async () => {
      void service.ready?.retire()
      await pause(timing.operationMs + timing.removalMs)
      const removed = this.read(id)
      this.#services.delete(id)
      return { '@type': TYPE, ...removed }
    })
  }

  read(id: string): object {
    const service = this.#find(id)
    const { given, condition, ready, latest } = service
    const full = this.#full(id)
    return {
      ...given,
      name: full,
      uid: service.uid,
      generation: String(service.generation),
      observedGeneration: String(service.observedGeneration),
      createTime: service.createTime,
      updateTime: service.createTime,
      ...(service.deleteTime === undefined ? {} : { deleteTime: service.deleteTime }),
      etag: service.etag,
      launchStage: 'GA',
      terminalCondition: condition,
      reconciling: condition.state === 'CONDITION_RECONCILING',
      latestCreatedRevision: `${full}/revisions/${latest}`,
      ...(ready === undefined ? {} : { latestReadyRevision: `${full}/revisions/${ready.name}` }),
      uri: service.front.url,
      urls: [service.front.url],
    }
  }

  list(pageToken: string): object {
    const start = Number(pageToken || '0')
    const names = this.names
    const end = start + PAGE
    return {
      services: names.slice(start, end).map(name => this.read(name)),
      ...(end < names.length ? { nextPageToken: String(end) } : {}),
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#fronts.map(front => front.close()))
    await Promise.all([...this.#revisions].map(revision => revision.retire()))
  }

  #reconcile(id: string, service: StoredService, template: RevisionTemplate): Operation {
    const { operations, timing } = this.#options
    const { generation } = service
    const name = `${id}-${String(generation).padStart(5, '0')}-${randomUUID().slice(0, 3)}`
    service.latest = name
    service.condition = { type: 'Ready', state: 'CONDITION_RECONCILING' }
    return operations.begin(async () => {
      await pause(timing.operationMs)
      let failure: NotReady | undefined
      try {
        const revision = await this.#makeRevision(id, name, template)
        if (service.generation === generation && service.deleteTime === undefined && !this.#isClosed) {
          const before = service.ready
          service.ready = revision
          service.front.revision = revision
          void before?.retire()
        } else void revision.retire()
      } catch (error) {
        failure = error instanceof NotReady ? error : new NotReady('INTERNAL', (error as Error).message)
      }
      if (service.generation === generation) {
        service.observedGeneration = generation
        service.condition =
          failure === undefined
            ? { type: 'Ready', state: 'CONDITION_SUCCEEDED' }
            : {
                type: 'Ready',
                state: 'CONDITION_FAILED',
                ...(/^HEALTH_CHECK/.test(failure.reason)
                  ? { revisionReason: failure.reason }
                  : { reason: failure.reason }),
                message: failure.message,
              }
      }
      if (failure !== undefined) throw new OperationFailure(FAILED_PRECONDITION, failure.message)
      return { '@type': TYPE, ...(this.#services.has(id) ? this.read(id) : {}) }
    })
  }

  /** Rejects with NotReady. */
  async #makeRevision(id: string, name: string, template: RevisionTemplate): Promise<Revision> {
    const { runtime, pullLogin, timing, mostInstances } = this.#options
    const env = this.#environmentOf(id, name, template)
    await runtime.pull(template.image, pullLogin).catch(error => {
      if (!(error instanceof PullError)) throw error
      throw new NotReady('CONTAINER_MISSING', `Image '${template.image}' not found.`)
    })
    const revision: Revision = new Revision({
      name,
      template,
      env,
      runtime,
      timing,
      hasRoom: () => this.instanceCount < mostInstances || this.#makeRoom(),
      onRetired: () => this.#revisions.delete(revision),
      onLine: (stream, instanceId, text) => this.#write(id, name, { stream, instanceId, text }),
    })
    this.#revisions.add(revision)
    const end = await revision.begin()
    if (end !== undefined) {
      await revision.retire()
      throw notHealthy(id, name, end)
    }
    return revision
  }

  /** What the platform has without end, this machine has not: what is idle makes room for what is needed. */
  #makeRoom(): boolean {
    return [...this.#revisions].some(revision => revision.endIdle())
  }

  #environmentOf(id: string, revision: string, { env, serviceAccount }: RevisionTemplate) {
    const all = environmentFor(env, this.#options, { serviceAccount, owner: 'Revision' })
    return { ...all, K_SERVICE: id, K_REVISION: revision, K_CONFIGURATION: id }
  }

  #write(
    service: string,
    revision: string,
    {
      stream,
      instanceId,
      text,
    }: { readonly stream: LogStream; readonly instanceId: string; readonly text: string },
  ): void {
    const { accounts, region, log } = this.#options
    log.write({
      logName: `projects/${accounts.project}/logs/run.googleapis.com%2F${stream}`,
      timestamp: new Date().toISOString(),
      textPayload: text,
      labels: { instanceId },
      resource: {
        type: 'cloud_run_revision',
        labels: {
          project_id: accounts.project,
          location: region,
          service_name: service,
          revision_name: revision,
        },
      },
    })
  }

  #find(id: string): StoredService {
    const found = this.#services.get(id)
    if (found === undefined)
      throw refusals.notFound(`Resource '${id}' of kind 'SERVICE' in region '${this.#options.region}'`)
    return found
  }

  #full(id: string): string {
    return `${this.#options.parent}/services/${id}`
  }
}

function notHealthy(id: string, revision: string, { exitCode }: ContainerEnd): NotReady {
  return new NotReady(
    'HEALTH_CHECK_CONTAINER_ERROR',
    `Revision '${revision}' is not ready and cannot serve traffic. The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout. This can happen when the container port is misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this revision might contain more information.\n\nService: ${id}, exit(${exitCode})`,
  )
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}
