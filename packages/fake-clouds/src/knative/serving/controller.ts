import type { ObjectStore, StoredObject } from '../api/object-store.ts'
import type { ContainerRuntime } from '../containers/containers.ts'
import type { KnativeCluster, KnativeQuota, KnativeTiming } from '../options.ts'
import { type OwnedCondition, OwnedObjects, type OwnedStores } from './owned-objects.ts'
import { Revision, type Trouble } from './revision.ts'
import { templateOf } from './template.ts'

/** A Service, and what the controller has made of it. */
interface Reconciled {
  readonly name: string
  readonly namespace: string
  readonly host: string
  /** The one of the last generation. */
  latest: { readonly revision: Revision; readonly generation: number }
  /** The one that takes requests. */
  serving: Revision | undefined
  /** The gateway knows of it. */
  isRouted: boolean
  isRouting: boolean
}

export interface ControllerOptions {
  readonly services: ObjectStore
  readonly pods: ObjectStore
  readonly secrets: ObjectStore
  /** Of what Services own. */
  readonly owned: OwnedStores
  readonly runtime: ContainerRuntime
  readonly cluster: KnativeCluster
  readonly timing: KnativeTiming
  readonly quota: KnativeQuota | undefined
}

/** What Knative's controllers do with Services: revisions, routes and conditions, each a moment after the other. */
export class Controller {
  readonly #options: ControllerOptions
  readonly #all = new Map<string, Reconciled>()
  readonly #ending = new Set<Promise<void>>()
  readonly #owned: OwnedObjects
  #logs = ''

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#owned = new OwnedObjects(options.owned)
  }

  /** A Service was made or changed. */
  changed(service: StoredObject): void {
    // as with a real one, its status says nothing of the change for a moment
    setImmediate(() => this.#reconcile(service.metadata.namespace ?? '', service.metadata.name))
  }

  /** A Service is removed: its pods end after it. */
  remove(service: StoredObject): void {
    const { services, timing } = this.#options
    const { namespace = '', name } = service.metadata
    services.markDeleted(namespace, name)
    const known = this.#all.get(name)
    this.#all.delete(name)
    this.#owned.remove(namespace, name)
    const gone = () => services.remove(namespace, name)
    if (timing.removalMs === 0) gone()
    else setTimeout(gone, timing.removalMs)
    if (known === undefined) return
    const revisions = new Set([known.latest.revision, known.serving])
    for (const revision of revisions) if (revision !== undefined) this.#retire(revision)
  }

  /** The revision that takes requests for a host; undefined when the gateway knows of none. */
  routeOf(host: string): Revision | undefined {
    return [...this.#all.values()].find(one => one.isRouted && one.host === host)?.serving
  }

  /** What keeps the last revision of a Service from becoming ready. */
  troubleOf(name: string): Trouble | undefined {
    return this.#all.get(name)?.latest.revision.trouble
  }

  logOf(podName: string, query: URLSearchParams): string {
    for (const { latest, serving } of this.#all.values())
      for (const revision of [latest.revision, serving])
        if (revision !== undefined && podName.startsWith(`${revision.name}-`))
          return revision.logOf(podName, query)
    return ''
  }

  /** Everything that workers ever wrote. */
  get logs(): string {
    return [this.#logs, ...[...this.#all.values()].map(({ latest }) => latest.revision.logs)].join('\n')
  }

  async close(): Promise<void> {
    for (const { latest, serving } of this.#all.values()) {
      this.#retire(latest.revision)
      if (serving !== undefined && serving !== latest.revision) this.#retire(serving)
    }
    this.#all.clear()
    await Promise.all(this.#ending)
  }

  #retire(revision: Revision): void {
    const ending = revision.retire().then(() => {
      this.#logs += `\n${revision.logs}`
      this.#ending.delete(ending)
    })
    this.#ending.add(ending)
  }

  #reconcile(namespace: string, name: string): void {
    const { services, cluster } = this.#options
    const service = services.find(namespace, name)
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return
    const { generation = 1 } = service.metadata
    const known = this.#all.get(name)
    if (known?.latest.generation !== generation) {
      const revision = this.#revisionOf(service, namespace, generation)
      this.#owned.generation(service, revision.name)
      const old = known?.latest.revision
      if (old !== undefined && old !== known?.serving) this.#retire(old)
      const latest = { revision, generation }
      if (known === undefined) {
        const host = `${name}.${namespace}.${cluster.domain}`
        this.#all.set(name, {
          name,
          namespace,
          host,
          latest,
          serving: undefined,
          isRouted: false,
          isRouting: false,
        })
      } else known.latest = latest
    }
    this.#tell(name)
  }

  #revisionOf(service: StoredObject, namespace: string, generation: number): Revision {
    const { pods, secrets, runtime, cluster, timing } = this.#options
    const { name } = service.metadata
    return new Revision({
      name: `${name}-${String(generation).padStart(5, '0')}`,
      service: name,
      namespace,
      template: templateOf(service),
      pods,
      secrets,
      runtime,
      cluster,
      timing,
      refusePod: memoryMiB => this.#overQuota(memoryMiB),
      onChange: () => this.#tell(name),
    })
  }

  #overQuota(memoryMiB: number): string | undefined {
    const { quota } = this.#options
    if (quota === undefined) return undefined
    const revisions = [...this.#all.values()].flatMap(({ latest, serving }) =>
      serving === undefined || serving === latest.revision ? [latest.revision] : [latest.revision, serving],
    )
    const pods = revisions.reduce((sum, one) => sum + one.podCount, 0)
    const used = revisions.reduce((sum, one) => sum + one.memoryMiB, 0)
    const over = (requested: string, usedNow: string, limited: string) =>
      `pods "worker" is forbidden: exceeded quota: ${quota.name}, requested: ${requested}, used: ${usedNow}, limited: ${limited}`
    if (quota.pods !== undefined && pods + 1 > quota.pods)
      return over('pods=1', `pods=${pods}`, `pods=${quota.pods}`)
    if (quota.memoryMiB !== undefined && used + memoryMiB > quota.memoryMiB)
      return over(
        `requests.memory=${memoryMiB}Mi`,
        `requests.memory=${used}Mi`,
        `requests.memory=${quota.memoryMiB}Mi`,
      )
    return undefined
  }

  #tell(name: string): void {
    const { services, timing, cluster } = this.#options
    const known = this.#all.get(name)
    if (known === undefined) return
    const { revision, generation } = known.latest
    if (revision.isReady && known.serving !== revision) {
      if (known.serving !== undefined) this.#retire(known.serving)
      known.serving = revision
    }
    if (known.serving !== undefined && !known.isRouting) {
      known.isRouting = true
      // Knative says Ready when its gateway answers a probe; others may take a little longer
      setTimeout(() => {
        known.isRouted = true
        this.#tell(name)
      }, timing.routeMs)
    }
    const { trouble } = revision
    const configurations = configurationsReady(revision, trouble)
    const routes: OwnedCondition =
      known.isRouted && known.serving === revision
        ? { type: 'RoutesReady', status: 'True' }
        : revision.isReady
          ? {
              type: 'RoutesReady',
              status: 'Unknown',
              reason: 'IngressNotConfigured',
              message: 'Ingress has not yet been reconciled.',
            }
          : {
              type: 'RoutesReady',
              status: 'Unknown',
              reason: 'RevisionMissing',
              message: `Configuration "${name}" is waiting for a Revision to become ready.`,
            }
    const worst = [configurations, routes].find(({ status }) => status === 'False') ??
      [configurations, routes].find(({ status }) => status === 'Unknown') ?? { status: 'True' as const }
    const address = { url: `http://${name}.${known.namespace}.svc.cluster.local` }
    this.#owned.tell({
      namespace: known.namespace,
      name,
      generation,
      revisionName: revision.name,
      readyRevisionName: known.serving?.name,
      configuration: configurations,
      route: routes,
      url: `http://${name}.${known.namespace}.${cluster.domain}`,
      address: known.isRouted ? address : undefined,
    })
    services.setStatus(known.namespace, name, {
      observedGeneration: generation,
      conditions: [configurations, { ...worst, type: 'Ready' }, routes],
      latestCreatedRevisionName: revision.name,
      ...(known.serving === undefined ? {} : { latestReadyRevisionName: known.serving.name }),
      ...(known.isRouted
        ? {
            url: `http://${known.host}`,
            address,
          }
        : { url: `http://${name}.${known.namespace}.${cluster.domain}` }),
    })
  }
}

function configurationsReady(revision: Revision, trouble: Trouble | undefined): OwnedCondition {
  const type = 'ConfigurationsReady'
  if (revision.isReady) return { type, status: 'True' }
  // of pods, Knative says it only after its progress deadline; of quotas, at once
  if (trouble !== undefined && trouble.reason === 'FailedCreate')
    return {
      type,
      status: 'False',
      reason: 'RevisionFailed',
      message: `Revision "${revision.name}" failed with message: ${trouble.message}.`,
    }
  return { type, status: 'Unknown' }
}
