import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ObjectStore } from '../knative/api/object-store.ts'
import type { ContainerRuntime } from '../knative/containers/containers.ts'
import { faultFor, type InjectedKnativeFault } from '../knative/faults.ts'
import { DEFAULT_CLUSTER, DEFAULT_TIMING } from '../knative/options.ts'
import { Controller } from '../knative/serving/controller.ts'
import { ownedStores } from '../knative/serving/owned-objects.ts'
import type { LoggedLine } from './cloud-logs.ts'
import { environmentOf, loginOf, type Variable } from './environment.ts'
import type { ResourceStore, StoredResource } from './resource-store.ts'

/** A request to an application, and how it was answered. */
export interface SeenActivation {
  readonly status: number
  readonly body: Buffer
}

export interface ApplicationsOptions {
  readonly stores: Readonly<Record<'apps' | 'config_maps' | 'secrets', ResourceStore>>
  readonly runtime: ContainerRuntime
  readonly mostInstances: number
  /** What happens to requests of applications. */
  readonly faults: InjectedKnativeFault[]
}

const NAMESPACE = 'project'
const PULL_SECRET = 'pull'

/** Applications: services of Knative, as those of Code Engine are, each with a URL of its own. */
export class Applications {
  readonly #options: ApplicationsOptions
  readonly #services = new ObjectStore(
    { group: 'serving.knative.dev', plural: 'services' },
    { hasGenerations: true },
  )
  readonly #secrets = new ObjectStore({ group: '', plural: 'secrets' })
  readonly #pods = new ObjectStore({ group: '', plural: 'pods' })
  readonly #controller: Controller
  readonly #doors = new Map<string, Server>()
  readonly requests: SeenActivation[] = []

  constructor(options: ApplicationsOptions) {
    this.#options = options
    this.#controller = new Controller({
      services: this.#services,
      pods: this.#pods,
      secrets: this.#secrets,
      runtime: options.runtime,
      cluster: { ...DEFAULT_CLUSTER, namespace: NAMESPACE, mostPods: options.mostInstances },
      timing: DEFAULT_TIMING,
      owned: ownedStores(),
      quota: undefined,
    })
  }

  /** An application was made. */
  async made(resource: StoredResource): Promise<void> {
    const door = this.#doors.get(resource.name) ?? (await this.#openDoor(resource.name))
    resource.endpoint = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
    this.#placeLogin(resource)
    this.#controller.changed(
      this.#services.create(NAMESPACE, { metadata: { name: resource.name }, spec: this.#spec(resource) }),
    )
  }

  changed(resource: StoredResource): void {
    const { name } = resource
    this.#controller.changed(
      this.#services.replace(NAMESPACE, name, { metadata: { name }, spec: this.#spec(resource) }),
    )
  }

  removed(name: string): void {
    const service = this.#services.find(NAMESPACE, name)
    if (service !== undefined) this.#controller.remove(service)
  }

  /** Its status as it is now, in the words of Code Engine. */
  tell(resource: StoredResource): void {
    const service = this.#services.find(NAMESPACE, resource.name)
    const {
      conditions = [],
      latestCreatedRevisionName,
      latestReadyRevisionName,
      observedGeneration,
    } = (service?.status ?? {}) as {
      readonly conditions?: readonly {
        readonly type: string
        readonly status: string
        readonly message?: string
      }[]
      readonly latestCreatedRevisionName?: string
      readonly latestReadyRevisionName?: string
      readonly observedGeneration?: number
    }
    const ready = conditions.find(({ type }) => type === 'Ready')
    const isSeen = observedGeneration === service?.metadata.generation
    const trouble = isSeen ? this.#controller.troubleOf(resource.name) : undefined
    resource.status = !isSeen
      ? 'deploying'
      : ready?.status === 'True'
        ? 'ready'
        : trouble !== undefined || ready?.status === 'False'
          ? 'failed'
          : 'deploying'
    resource.status_details = {
      latest_created_revision: isSeen ? latestCreatedRevisionName : 'not yet',
      latest_ready_revision: latestReadyRevisionName,
      ...(trouble === undefined ? {} : { reason: `${trouble.reason}: ${trouble.message}` }),
    }
  }

  /** Everything that instances ever wrote. */
  get logs(): string {
    return this.#controller.logs
  }

  /** Whole lines of the instances that are there. */
  get lines(): Omit<LoggedLine, 'project' | 'projectId'>[] {
    return this.#pods.list(NAMESPACE).flatMap(({ metadata: { name: instance, labels = {} } }) =>
      this.#controller
        .logOf(instance, new URLSearchParams({ timestamps: 'true' }))
        .split('\n')
        .filter(line => line !== '')
        .map(line => ({
          atMs: Date.parse(line.slice(0, line.indexOf(' '))),
          component: labels['serving.knative.dev/service'] ?? '',
          subcomponent: labels['serving.knative.dev/revision'] ?? '',
          instance,
          text: line.slice(line.indexOf(' ') + 1),
        })),
    )
  }

  async close(): Promise<void> {
    for (const door of this.#doors.values()) {
      door.close()
      door.closeAllConnections()
    }
    await this.#controller.close()
  }

  /** The domain of a project answers for all names, also of applications that are gone. */
  async #openDoor(name: string): Promise<Server> {
    const door = createServer((request, response) => void this.#serve(name, request, response))
    door.requestTimeout = 0
    await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
    this.#doors.set(name, door)
    return door
  }

  #spec(resource: StoredResource): object {
    const { stores } = this.#options
    const variables = environmentOf((resource.run_env_variables ?? []) as readonly Variable[], stores)
    const annotations = {
      'autoscaling.knative.dev/min-scale': `${resource.scale_min_instances ?? 0}`,
      'autoscaling.knative.dev/max-scale': `${resource.scale_max_instances ?? 10}`,
    }
    return {
      template: {
        metadata: { annotations },
        spec: {
          containerConcurrency: resource.scale_concurrency ?? 100,
          timeoutSeconds: resource.scale_request_timeout ?? 300,
          imagePullSecrets: [{ name: `${PULL_SECRET}-${resource.name}` }],
          containers: [
            {
              image: resource.image_reference,
              env: Object.entries(variables).map(([name, value]) => ({ name, value })),
              resources: {
                limits: {
                  memory: `${Number.parseFloat(String(resource.scale_memory_limit)) * 1024}Mi`,
                  cpu: resource.scale_cpu_limit,
                },
              },
            },
          ],
        },
      },
    }
  }

  /** As Knative's controller reads it. */
  #placeLogin(resource: StoredResource): void {
    const login = loginOf(this.#options.stores.secrets, resource.image_secret)
    if (login === undefined) return
    const server = String(resource.image_reference).split('/', 1)[0] as string
    const auth = Buffer.from(`${login.user}:${login.password}`).toString('base64')
    const text = JSON.stringify({ auths: { [server]: { auth } } })
    const name = `${PULL_SECRET}-${resource.name}`
    this.#secrets.remove(NAMESPACE, name)
    this.#secrets.create(NAMESPACE, {
      metadata: { name },
      data: { '.dockerconfigjson': Buffer.from(text).toString('base64') },
    })
  }

  async #serve(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // the client has left
    }
    const body = Buffer.concat(chunks)
    const isActivation = request.method === 'POST'
    if (isActivation)
      response.once('close', () =>
        this.requests.push({ status: response.headersSent ? response.statusCode : 0, body }),
      )
    const fault = isActivation
      ? faultFor(this.#options.faults, { place: 'service', action: 'POST', name })
      : undefined
    if (fault?.kind === 'refuse') {
      response.destroy()
      return
    }
    if (fault?.kind === 'delay') await new Promise(done => setTimeout(done, fault.ms))
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, { server: 'envoy', 'content-type': 'text/plain' })
      response.end(fault.body)
      return
    }
    const revision = this.#controller.routeOf(`${name}.${NAMESPACE}.${DEFAULT_CLUSTER.domain}`)
    if (revision === undefined) {
      response.writeHead(404, { server: 'envoy' })
      response.end()
      return
    }
    await revision.serve(request, body, response, fault)
  }
}
