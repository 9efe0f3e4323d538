import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { KubernetesApi, KubernetesAuditEntry } from '../../real-parts/kubernetes.ts'
import { ObjectStore, type StoredObject } from '../api/object-store.ts'
import type { ContainerRuntime } from '../containers/containers.ts'
import { PodmanContainers } from '../containers/podman-containers.ts'
import { ProcessContainers } from '../containers/process-containers.ts'
import { InjectedKnativeFault, type KnativeFault, type KnativeFaultScope } from '../faults.ts'
import { ImageRegistry } from '../images/image-registry.ts'
import { DEFAULT_CLUSTER, DEFAULT_TIMING, type FakeKnativeOptions, type KnativeCluster } from '../options.ts'
import { Controller } from '../serving/controller.ts'
import { Gateway, type SeenServiceRequest } from '../serving/gateway.ts'
import { type OwnedKind, ownedResource } from '../serving/owned-objects.ts'
import { ClusterClient, SERVING } from './cluster-client.ts'
import { install, type Manifest, NODE_NAME, pathOf, until } from './installation.ts'
import { MirroredStore } from './mirrored-store.ts'
import { NodeAgent } from './node-agent.ts'

/** What a test's clients are: the user of the kubeconfig. */
export const TESTER = 'tester'

/** Quotas are those of the API server, see `limitServices`; what the user may do is its too, see `grant`. */
export type KnativeOnKubernetesOptions = Omit<FakeKnativeOptions, 'quota' | 'roles'>

interface Parts {
  readonly api: KubernetesApi
  readonly client: ClusterClient
  readonly agent: NodeAgent
  readonly gateway: Gateway
  readonly controller: Controller
  readonly runtime: ContainerRuntime
  readonly services: MirroredStore
  readonly pods: MirroredStore
  readonly secrets: ObjectStore
  readonly owned: Readonly<Record<OwnedKind, MirroredStore>>
}

type SeenKind = 'services' | 'secrets' | 'pods' | OwnedKind

/**
 * Knative Serving on a real API server: Knative's own definitions check and keep the objects, Kubernetes' own roles say who may
 * do what, and pods and Secrets are its too. What acts on them is the stand-in's: a controller that makes revisions and
 * sets status, webhooks, a gateway, a kubelet that answers for logs, and workers in processes or containers of podman. One per API server.
 */
export class KnativeOnKubernetes implements AsyncDisposable {
  readonly namespace: string
  /** Path of a kubeconfig of the user `tester`, who may do everything until `grant` says what. */
  readonly kubeconfig: string
  readonly registry: ImageRegistry
  /** For programs that use the cluster. */
  readonly env: Readonly<Record<string, string>>
  /** What the API server did not take of the controller, in words. A test in which it is not empty proves nothing. */
  readonly failures: string[]
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'lithops-knative-'))
  readonly #parts: Parts
  readonly #faults: InjectedKnativeFault[]
  #granted: readonly Manifest[] = []
  #closing: Promise<void> | undefined

  private constructor(
    parts: Parts,
    facts: {
      readonly namespace: string
      readonly registry: ImageRegistry
      readonly failures: string[]
      readonly faults: InjectedKnativeFault[]
    },
  ) {
    this.#parts = parts
    this.#faults = facts.faults
    this.namespace = facts.namespace
    this.registry = facts.registry
    this.failures = facts.failures
    this.kubeconfig = path.join(this.#folder, 'config')
    this.env = { KUBECONFIG: this.kubeconfig, LITHOPS_STAND_IN_IMAGES: path.join(this.#folder, 'images') }
    this.writeKubeconfig()
  }

  static async start(
    api: KubernetesApi,
    options: KnativeOnKubernetesOptions = {},
  ): Promise<KnativeOnKubernetes> {
    const cluster: KnativeCluster = { ...DEFAULT_CLUSTER, ...options }
    const timing = { ...DEFAULT_TIMING, ...options.timing }
    const failures: string[] = []
    const faults: InjectedKnativeFault[] = []
    const registry = options.registry ?? (await ImageRegistry.start(options.registryLogin))
    const runtime =
      options.containers === undefined
        ? new ProcessContainers(registry)
        : new PodmanContainers(options.containers)
    const client = new ClusterClient(api)
    const onFailure = (what: string, error: unknown) => {
      // it is gone already
      if ((error as { readonly code?: unknown }).code !== 404) failures.push(`${what}: ${error}`)
    }
    const graceS = Math.max(1, Math.ceil(timing.graceMs / 1000))
    const services = new MirroredStore(
      { group: SERVING.group, plural: 'services' },
      { onFailure, setStatus: object => client.setServingStatus('services', object) },
    )
    const pods = new MirroredStore(
      { group: '', plural: 'pods' },
      {
        onFailure,
        create: object => client.createPod(object, NODE_NAME),
        setStatus: object => client.setPodStatus(object),
        markDeleted: ({ metadata }) => client.deletePod(metadata.namespace ?? '', metadata.name, graceS),
        remove: (namespace, name) => client.deletePod(namespace, name, 0),
      },
    )
    const secrets = new ObjectStore({ group: '', plural: 'secrets' })
    const ownedStore = (plural: OwnedKind, made: () => Promise<void> = async () => {}) =>
      new MirroredStore(ownedResource(plural), {
        onFailure,
        create: async object => {
          await made()
          await client.createOwned(plural, object)
        },
        replace: object => client.replaceOwned(plural, object),
        setStatus: object => client.setServingStatus(plural, object),
        remove: (namespace, name) => client.removeOwned(plural, namespace, name),
      })
    const configurations = ownedStore('configurations')
    const owned = {
      configurations,
      // their owner must be there
      revisions: ownedStore('revisions', () => configurations.told()),
      routes: ownedStore('routes'),
    }
    const controller = new Controller({
      services,
      pods,
      secrets,
      owned,
      runtime,
      cluster,
      timing,
      quota: undefined,
    })
    const gateway = await Gateway.start(controller, faults)
    const agent = await NodeAgent.start((pod, query) => controller.logOf(pod, query))
    await install(api, cluster, { agent, gatewayPort: gateway.port })
    const { namespace } = cluster
    const started = new KnativeOnKubernetes(
      { api, client, agent, gateway, controller, runtime, services, pods, secrets, owned },
      { namespace, registry, failures, faults },
    )
    await started.#watch()
    await started.grant(undefined)
    return started
  }

  /** Host and port of the gateway. */
  get gateway(): string {
    return `127.0.0.1:${this.#parts.gateway.port}`
  }

  /** Requests to services that have ended. */
  get activations(): readonly SeenServiceRequest[] {
    return this.#parts.gateway.requests.filter(({ method }) => method === 'POST')
  }

  /** Everything that workers ever wrote. */
  get logs(): string {
    return this.#parts.controller.logs
  }

  /** The objects of a kind that the API server has. */
  async objects(kind: SeenKind): Promise<readonly StoredObject[]> {
    const root =
      kind !== 'secrets' && kind !== 'pods' ? `/apis/${SERVING.group}/${SERVING.version}` : '/api/v1'
    const place = `${root}/namespaces/${this.namespace}/${kind}`
    return (await this.#parts.api.request<{ readonly items: readonly StoredObject[] }>('GET', place)).items
  }

  async names(kind: SeenKind): Promise<readonly string[]> {
    return (await this.objects(kind)).map(({ metadata }) => metadata.name)
  }

  /** What the user of the kubeconfig did since `entry`. */
  async audit(entry = 0): Promise<readonly KubernetesAuditEntry[]> {
    return (await this.#parts.api.audit()).slice(entry).filter(({ user }) => user === TESTER)
  }

  /** For `audit`: where it stands now. */
  async auditEntries(): Promise<number> {
    return (await this.#parts.api.audit()).length
  }

  inject(fault: KnativeFault, scope: KnativeFaultScope = {}): InjectedKnativeFault {
    const injected = new InjectedKnativeFault(fault, scope)
    this.#faults.push(injected)
    return injected
  }

  /** Takes faults and what was seen away. */
  clear(): void {
    this.#faults.length = 0
    this.#parts.gateway.requests.length = 0
  }

  /**
   * The user may do from now on what these roles and bindings say, and nothing else; undefined: everything. `YOU` in
   * bindings is the user.
   */
  async grant(documents: readonly object[] | undefined): Promise<void> {
    const { api } = this.#parts
    for (const manifest of this.#granted)
      await api.request('DELETE', `${pathOf(manifest)}/${manifest.metadata.name}`)
    await until('the rights of the user are gone', async () => !(await this.#may('list', 'services')))
    const text = JSON.stringify(documents ?? [EVERYTHING]).replaceAll('"YOU"', JSON.stringify(TESTER))
    this.#granted = JSON.parse(text) as Manifest[]
    for (const manifest of this.#granted) await api.request('POST', pathOf(manifest), manifest)
    if (this.#granted.length > 0)
      await until('the rights of the user are known', () => this.#may('list', 'services'))
  }

  /** Makes a ResourceQuota for Services of Knative. There is no controller that counts them: it counts from now. */
  async limitServices(name: string, count: number): Promise<void> {
    const { api } = this.#parts
    const hard = { 'count/services.serving.knative.dev': String(count) }
    const quota = { kind: 'ResourceQuota', metadata: { name, namespace: this.namespace }, spec: { hard } }
    await api.request('POST', pathOf(quota), quota)
    const used = { 'count/services.serving.knative.dev': '0' }
    await api.request('PATCH', `${pathOf(quota)}/${name}/status`, { status: { hard, used } })
  }

  async unlimit(name: string): Promise<void> {
    const quota = { kind: 'ResourceQuota', metadata: { name, namespace: this.namespace } }
    await this.#parts.api.request('DELETE', `${pathOf(quota)}/${name}`)
  }

  /** As tools do that log in to clusters. @param token default: the right one */
  writeKubeconfig(token: string = this.#parts.api.testerToken): void {
    const { url, certificate } = this.#parts.api
    const ca = Buffer.from(certificate).toString('base64')
    writeFileSync(
      this.kubeconfig,
      `apiVersion: v1
kind: Config
current-context: real
clusters:
  - name: real
    cluster: { server: '${url}', certificate-authority-data: '${ca}' }
users:
  - name: ${TESTER}
    user: { token: '${token}' }
contexts:
  - name: real
    context: { cluster: real, user: ${TESTER}, namespace: ${this.namespace} }
`,
      { mode: 0o600 },
    )
  }

  /** May be called twice. The API server goes on. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #watch(): Promise<void> {
    const { client, services, secrets, controller } = this.#parts
    await client.watchSecrets(this.namespace, {
      found: object => secrets.put(object),
      removed: ({ metadata }) => secrets.remove(metadata.namespace ?? '', metadata.name),
    })
    await client.watchServices(this.namespace, {
      found: object => {
        const { uid, generation, deletionTimestamp, namespace = '', name } = object.metadata
        const known = services.find(namespace, name)
        if (known !== undefined && known.metadata.uid !== uid) controller.remove(known)
        services.put(object)
        if (deletionTimestamp !== undefined) return
        if (known?.metadata.uid === uid && known.metadata.generation === generation) return
        // what its pods are to see was placed before it
        void client.secrets(namespace).then(now => {
          for (const secret of now) secrets.put(secret)
          controller.changed(object)
        })
      },
      removed: object => {
        const { namespace = '', name } = object.metadata
        if (services.find(namespace, name) !== undefined) controller.remove(object)
      },
    })
  }

  /** Whether the user may do so, by the API server's own word. */
  async #may(verb: string, resource: string): Promise<boolean> {
    const attributes = { namespace: this.namespace, verb, group: SERVING.group, resource }
    const answer = await this.#parts.api.request<{ readonly status: { readonly allowed: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      { spec: { user: TESTER, resourceAttributes: attributes } },
    )
    return answer.status.allowed
  }

  async #close(): Promise<void> {
    const { gateway, client, controller, services, pods, owned, runtime, agent } = this.#parts
    await gateway.close()
    await controller.close()
    await Promise.all([services, pods, ...Object.values(owned)].map(store => store.told()))
    await client.close()
    await runtime.close()
    await agent.close()
    await this.registry.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const EVERYTHING: Manifest & object = {
  kind: 'ClusterRoleBinding',
  metadata: { name: 'tester-is-admin' },
  ...{
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: TESTER }],
  },
}
