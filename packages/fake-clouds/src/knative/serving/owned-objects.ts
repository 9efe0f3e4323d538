import { type GivenObject, ObjectStore, type OwnerReference, type StoredObject } from '../api/object-store.ts'
import type { Resource } from '../api/status-error.ts'

// What Knative makes of a Service: a Configuration and a Route of its name, and a Revision for each generation of its template. From:
// "pkg/reconciler/service/resources" and "pkg/reconciler/configuration/resources" of knative/serving.

export const OWNED_KINDS = ['configurations', 'revisions', 'routes'] as const
export type OwnedKind = (typeof OWNED_KINDS)[number]
export type OwnedStores = Readonly<Record<OwnedKind, ObjectStore>>

const API_VERSION = 'serving.knative.dev/v1'
const PREFIX = 'serving.knative.dev'

export interface OwnedCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
}

/** How a Service is, as far as what it owns has a part in it. */
export interface ServiceState {
  readonly namespace: string
  readonly name: string
  readonly generation: number
  /** Of the last generation. */
  readonly revisionName: string
  /** Undefined until one is ready. */
  readonly readyRevisionName: string | undefined
  /** Of the last revision, by its conditions. */
  readonly configuration: OwnedCondition
  readonly route: OwnedCondition
  readonly url: string
  /** Undefined until the gateway knows of it. */
  readonly address: { readonly url: string } | undefined
}

export function ownedResource(plural: OwnedKind): Resource {
  return { group: PREFIX, plural }
}

/** Stores of a stand-in's own. */
export function ownedStores(): OwnedStores {
  const of = (plural: OwnedKind) => new ObjectStore(ownedResource(plural), { hasGenerations: true })
  return { configurations: of('configurations'), revisions: of('revisions'), routes: of('routes') }
}

/** Keeps what Services own in step with them. */
export class OwnedObjects {
  readonly #stores: OwnedStores

  constructor(stores: OwnedStores) {
    this.#stores = stores
  }

  /** The Service has a generation that has this revision. */
  generation(service: StoredObject, revisionName: string): void {
    const { configurations, routes, revisions } = this.#stores
    const { namespace = '', name, uid, labels, annotations, generation = 1 } = service.metadata
    const { template, traffic = [{ latestRevision: true, percent: 100 }] } = service.spec as {
      readonly template: { readonly metadata?: StoredObject['metadata']; readonly spec?: unknown }
      readonly traffic?: unknown
    }
    const metadata = {
      name,
      labels: { ...labels, [`${PREFIX}/service`]: name, [`${PREFIX}/serviceUID`]: uid },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerOf('Service', service)],
    }
    const configuration = put(configurations, namespace, {
      ...{ apiVersion: API_VERSION, kind: 'Configuration', metadata },
      spec: { template },
    })
    put(routes, namespace, { apiVersion: API_VERSION, kind: 'Route', metadata, spec: { traffic } })
    if (revisions.find(namespace, revisionName) !== undefined) return
    revisions.create(namespace, {
      apiVersion: API_VERSION,
      kind: 'Revision',
      metadata: {
        name: revisionName,
        labels: {
          ...template.metadata?.labels,
          [`${PREFIX}/configuration`]: name,
          [`${PREFIX}/configurationGeneration`]: String(generation),
          [`${PREFIX}/configurationUID`]: configuration.metadata.uid,
          [`${PREFIX}/service`]: name,
          [`${PREFIX}/serviceUID`]: uid,
        },
        annotations: { ...template.metadata?.annotations, [`${PREFIX}/routes`]: name },
        ownerReferences: [controllerOf('Configuration', configuration)],
      },
      spec: template.spec,
    })
  }

  /** Conditions and names, where they are not so already. */
  tell(state: ServiceState): void {
    const { namespace, name, generation: observedGeneration, revisionName, readyRevisionName } = state
    const { configuration, route, url, address } = state
    const ready = { ...configuration, type: 'Ready' }
    this.#setStatus('configurations', namespace, name, {
      observedGeneration,
      conditions: [ready],
      latestCreatedRevisionName: revisionName,
      ...(readyRevisionName === undefined ? {} : { latestReadyRevisionName: readyRevisionName }),
    })
    this.#setStatus('revisions', namespace, revisionName, {
      observedGeneration: 1,
      conditions: [
        { ...configuration, type: 'ContainerHealthy' },
        ready,
        { ...configuration, type: 'ResourcesAvailable' },
      ],
    })
    const isAssigned = readyRevisionName !== undefined
    this.#setStatus('routes', namespace, name, {
      observedGeneration,
      conditions: [
        { ...(isAssigned ? { status: 'True' } : route), type: 'AllTrafficAssigned' },
        { ...route, type: 'IngressReady' },
        { ...route, type: 'Ready' },
      ],
      url,
      ...(address === undefined ? {} : { address }),
      ...(isAssigned
        ? { traffic: [{ latestRevision: true, percent: 100, revisionName: readyRevisionName }] }
        : {}),
    })
  }

  /** The Service is gone, and what it owns goes with it, as Kubernetes' collector of garbage does by the owners. */
  remove(namespace: string, service: string): void {
    for (const kind of [...OWNED_KINDS].reverse()) {
      const store = this.#stores[kind]
      for (const { metadata } of store.list(namespace, `${PREFIX}/service=${service}`))
        store.remove(namespace, metadata.name)
    }
  }

  #setStatus(kind: OwnedKind, namespace: string, name: string, status: object): void {
    const store = this.#stores[kind]
    if (JSON.stringify(store.find(namespace, name)?.status) === JSON.stringify(status)) return
    store.setStatus(namespace, name, status)
  }
}

function controllerOf(kind: string, { metadata: { name, uid } }: StoredObject): OwnerReference {
  return { apiVersion: API_VERSION, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

function put(store: ObjectStore, namespace: string, given: GivenObject): StoredObject {
  const name = given.metadata?.name ?? ''
  if (store.find(namespace, name) === undefined) return store.create(namespace, given)
  return store.replace(namespace, name, given)
}
