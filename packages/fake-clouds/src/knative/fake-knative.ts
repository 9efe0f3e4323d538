import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Accounts, type RbacRole } from './api/accounts.ts'
import { type Kind, KubeServer, type SeenKubeRequest } from './api/kube-server.ts'
import { ObjectStore } from './api/object-store.ts'
import { refusals } from './api/status-error.ts'
import type { ContainerRuntime } from './containers/containers.ts'
import { PodmanContainers } from './containers/podman-containers.ts'
import { ProcessContainers } from './containers/process-containers.ts'
import { InjectedKnativeFault, type KnativeFault, type KnativeFaultScope } from './faults.ts'
import { ImageRegistry } from './images/image-registry.ts'
import { DEFAULT_CLUSTER, DEFAULT_TIMING, type FakeKnativeOptions, type KnativeCluster } from './options.ts'
import { Controller } from './serving/controller.ts'
import { GATEWAYS, Gateway, type SeenServiceRequest } from './serving/gateway.ts'
import { OWNED_KINDS, type OwnedKind, ownedStores } from './serving/owned-objects.ts'
import { checkService } from './serving/template.ts'

type StandInKind = 'services' | 'secrets' | 'pods' | OwnedKind

/** A tool that builds images without podman: for `container_tool`, with the environment of `FakeKnative.env`. */
export const STAND_IN_TOOL = fileURLToPath(new URL('images/podman-stand-in.mjs', import.meta.url))

/**
 * A stand-in for a Kubernetes cluster with Knative Serving, for the official client: the API that clients of Knative use, a
 * controller that makes revisions, a gateway that tells services apart by Host, workers that are scaled from zero. Workers
 * are real: the images that were pushed run as containers of podman, or as processes (`ProcessContainers`).
 */
export class FakeKnative implements AsyncDisposable {
  readonly namespace: string
  /** Path of a kubeconfig of a user, who may do everything if no `roles` were given. */
  readonly kubeconfig: string
  /** Registry of images, where they are run as processes: host and port; plain http. */
  readonly registry: ImageRegistry
  /** For programs that use the cluster. */
  readonly env: Readonly<Record<string, string>>
  readonly #folder: string
  readonly #api: KubeServer
  #gateway: Gateway
  readonly #controller: Controller
  readonly #runtime: ContainerRuntime
  readonly #accounts: Accounts
  readonly #roles: readonly RbacRole[] | undefined
  readonly #faults: InjectedKnativeFault[]
  readonly #stores: Readonly<Record<StandInKind, ObjectStore>>
  readonly #gateways: ObjectStore
  readonly #cluster: KnativeCluster
  #closing: Promise<void> | undefined

  private constructor(parts: {
    readonly cluster: KnativeCluster
    readonly gateways: ObjectStore
    readonly roles: readonly RbacRole[] | undefined
    readonly registry: ImageRegistry
    readonly api: KubeServer
    readonly gateway: Gateway
    readonly controller: Controller
    readonly runtime: ContainerRuntime
    readonly accounts: Accounts
    readonly faults: InjectedKnativeFault[]
    readonly stores: Readonly<Record<StandInKind, ObjectStore>>
  }) {
    this.namespace = parts.cluster.namespace
    this.#cluster = parts.cluster
    this.#gateways = parts.gateways
    this.registry = parts.registry
    this.#roles = parts.roles
    this.#api = parts.api
    this.#gateway = parts.gateway
    this.#controller = parts.controller
    this.#runtime = parts.runtime
    this.#accounts = parts.accounts
    this.#faults = parts.faults
    this.#stores = parts.stores
    this.#folder = mkdtempSync(path.join(tmpdir(), 'lithops-fake-knative-'))
    this.kubeconfig = path.join(this.#folder, 'config')
    this.env = { KUBECONFIG: this.kubeconfig, LITHOPS_STAND_IN_IMAGES: path.join(this.#folder, 'images') }
    this.renewToken()
  }

  /** Starts on free ports of the loopback. */
  static async start(options: FakeKnativeOptions = {}): Promise<FakeKnative> {
    const cluster: KnativeCluster = { ...DEFAULT_CLUSTER, ...options }
    const timing = { ...DEFAULT_TIMING, ...options.timing }
    const faults: InjectedKnativeFault[] = []
    const registry = options.registry ?? (await ImageRegistry.start(options.registryLogin))
    const runtime =
      options.containers === undefined
        ? new ProcessContainers(registry)
        : new PodmanContainers(options.containers)
    const services = new ObjectStore(
      { group: 'serving.knative.dev', plural: 'services' },
      { hasGenerations: true },
    )
    const secrets = new ObjectStore({ group: '', plural: 'secrets' })
    const pods = new ObjectStore({ group: '', plural: 'pods' })
    const gateways = new ObjectStore({ group: '', plural: 'services' })
    const nodes = new ObjectStore({ group: '', plural: 'nodes' })
    const owned = ownedStores()
    const controller = new Controller({
      services,
      pods,
      secrets,
      owned,
      runtime,
      cluster,
      timing,
      quota: options.quota,
    })
    const gateway = await Gateway.start(controller, faults)
    putGateway(gateways, cluster, gateway.port)
    putNode(nodes)
    const { quota } = options
    const kinds: Kind[] = [
      {
        store: services,
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Service',
        isNamespaced: true,
        hooks: {
          admit(object, namespace, isNew) {
            checkService(object)
            const used = services.list(namespace).length
            if (isNew && quota?.services !== undefined && used >= quota.services) {
              const count = 'count/services.serving.knative.dev'
              throw refusals.overQuota(services.resource, object.metadata?.name ?? '', {
                name: quota.name,
                requested: `${count}=1`,
                used: `${count}=${used}`,
                limited: `${count}=${quota.services}`,
              })
            }
          },
          changed: object => controller.changed(object),
          remove: object => controller.remove(object),
        },
      },
      { store: secrets, apiVersion: 'v1', kind: 'Secret', isNamespaced: true, hooks: {} },
      {
        store: pods,
        apiVersion: 'v1',
        kind: 'Pod',
        isNamespaced: true,
        hooks: { subresource: (object, _name, query) => controller.logOf(object.metadata.name, query) },
      },
      ...OWNED_KINDS.map(plural => ({
        store: owned[plural],
        apiVersion: 'serving.knative.dev/v1',
        kind: { configurations: 'Configuration', revisions: 'Revision', routes: 'Route' }[plural],
        isNamespaced: true,
        hooks: {},
      })),
      { store: gateways, apiVersion: 'v1', kind: 'Service', isNamespaced: true, hooks: {} },
      { store: nodes, apiVersion: 'v1', kind: 'Node', isNamespaced: false, hooks: {} },
    ]
    const accounts = new Accounts()
    const api = await KubeServer.start(kinds, accounts, faults)
    const stores = { services, secrets, pods, ...owned }
    const { roles } = options
    return new FakeKnative({
      cluster,
      gateways,
      roles,
      registry,
      api,
      gateway,
      controller,
      runtime,
      accounts,
      faults,
      stores,
    })
  }

  /** Host and port of the gateway. */
  get gateway(): string {
    return `127.0.0.1:${this.#gateway.port}`
  }

  /** Requests of the API since the start, or since `clear`. */
  get requests(): readonly SeenKubeRequest[] {
    return this.#api.requests
  }

  /** Requests to services that have ended since the start, or since `clear`. */
  get activations(): readonly SeenServiceRequest[] {
    return this.#gateway.requests.filter(({ method }) => method === 'POST')
  }

  /** How often each action of the API was asked for, by its name: 'create ksvc'. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { action } of this.#api.requests) counts[action] = (counts[action] ?? 0) + 1
    return counts
  }

  /** Names of the objects of a kind that are there. */
  names(kind: StandInKind): string[] {
    return this.#stores[kind].list(this.namespace).map(({ metadata }) => metadata.name)
  }

  /** The objects of a kind as text, to search it. */
  text(kind: StandInKind): string {
    return JSON.stringify(this.#stores[kind].list(this.namespace))
  }

  /** Everything that workers ever wrote. */
  get logs(): string {
    return this.#controller.logs
  }

  inject(fault: KnativeFault, scope: KnativeFaultScope = {}): InjectedKnativeFault {
    const injected = new InjectedKnativeFault(fault, scope)
    this.#faults.push(injected)
    return injected
  }

  /** Takes faults and what was seen away. */
  clear(): void {
    this.#faults.length = 0
    this.#api.requests.length = 0
    this.#gateway.requests.length = 0
  }

  /** All tokens are good for nothing from now on. */
  expireTokens(): void {
    this.#accounts.expire()
  }

  /** Writes a kubeconfig with a token that is good, as tools that log in to clusters do. */
  renewToken(): void {
    const token = this.#accounts.add({ name: 'tester', roles: this.#roles })
    writeFileSync(
      this.kubeconfig,
      `apiVersion: v1
kind: Config
current-context: stand-in
clusters:
  - name: stand-in
    cluster: { server: '${this.#api.url}', insecure-skip-tls-verify: true }
users:
  - name: tester
    user: { token: '${token}' }
contexts:
  - name: stand-in
    context: { cluster: stand-in, user: tester, namespace: ${this.namespace} }
  - name: elsewhere
    context: { cluster: nowhere, user: tester }
`,
      { mode: 0o600 },
    )
  }

  /** The gateway goes to another port, as load balancers do that are made anew. */
  async moveGateway(): Promise<void> {
    const old = this.#gateway
    this.#gateway = await Gateway.start(this.#controller, this.#faults)
    await old.close()
    putGateway(this.#gateways, this.#cluster, this.#gateway.port)
  }

  /** Removes a service as somebody else would. */
  removeService(name: string): void {
    this.#controller.remove(this.#stores.services.get(this.namespace, name))
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
    await this.#gateway.close()
    await this.#api.close()
    await this.#controller.close()
    await this.#runtime.close()
    await this.registry.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function putGateway(gateways: ObjectStore, { gateway, gatewayPort }: KnativeCluster, port: number): void {
  if (gateway === 'none') return
  const [namespace, name] = GATEWAYS[gateway]
  const isBalanced = gatewayPort === 'balancer'
  gateways.remove(namespace, name)
  gateways.create(namespace, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      type: isBalanced ? 'LoadBalancer' : 'NodePort',
      // the port of a real one is 80: nothing may listen there without being root
      ports: [{ name: 'http2', port: isBalanced ? port : 8081, ...(isBalanced ? {} : { nodePort: port }) }],
    },
  })
  if (isBalanced) gateways.setStatus(namespace, name, { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } })
}

function putNode(nodes: ObjectStore): void {
  nodes.create('', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } })
  nodes.setStatus('', 'node-1', {
    addresses: [
      { type: 'Hostname', address: 'node-1' },
      { type: 'InternalIP', address: '127.0.0.1' },
    ],
  })
}
