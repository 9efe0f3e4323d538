import {
  CoreV1Api,
  CustomObjectsApi,
  type Informer,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node'
import type { KubernetesApi } from '../../real-parts/kubernetes.ts'
import type { OwnerReference, StoredObject } from '../api/object-store.ts'

export const SERVING = { group: 'serving.knative.dev', version: 'v1' } as const
const WATCH_AGAIN_MS = 200
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

export interface Watched {
  readonly found: (object: StoredObject) => void
  readonly removed: (object: StoredObject) => void
}

/** What controllers and kubelets ask of the API server, over the official client. */
export class ClusterClient {
  readonly #config = new KubeConfig()
  readonly #core: CoreV1Api
  readonly #custom: CustomObjectsApi
  readonly #watching: Informer<KubernetesObject>[] = []
  #isClosed = false

  constructor({ url, certificate, adminToken }: Pick<KubernetesApi, 'url' | 'certificate' | 'adminToken'>) {
    const caData = Buffer.from(certificate).toString('base64')
    this.#config.loadFromClusterAndUser(
      { name: 'cluster', server: url, caData, skipTLSVerify: false },
      { name: 'admin', token: adminToken },
    )
    this.#core = this.#config.makeApiClient(CoreV1Api)
    this.#custom = this.#config.makeApiClient(CustomObjectsApi)
  }

  /** Tells of each Service of a namespace that is there, changes, or goes. */
  async watchServices(namespace: string, watched: Watched): Promise<void> {
    const where = { ...SERVING, plural: 'services', namespace }
    await this.#watch(
      `/apis/${SERVING.group}/${SERVING.version}/namespaces/${namespace}/services`,
      async () => (await this.#custom.listNamespacedCustomObject(where)) as List,
      watched,
    )
  }

  async watchSecrets(namespace: string, watched: Watched): Promise<void> {
    const list = async () => (await this.#core.listNamespacedSecret({ namespace })) as List
    await this.#watch(`/api/v1/namespaces/${namespace}/secrets`, list, watched)
  }

  async secrets(namespace: string): Promise<readonly StoredObject[]> {
    return (await this.#core.listNamespacedSecret({ namespace })).items as unknown as StoredObject[]
  }

  /** Of an object of Knative. */
  async setServingStatus(plural: string, { metadata, status }: StoredObject): Promise<void> {
    const { namespace = '', name } = metadata
    const body = { status }
    await this.#custom.patchNamespacedCustomObjectStatus({ ...SERVING, plural, namespace, name, body }, MERGE)
  }

  /** As its controller makes it: the server gives it a uid, and so has done with its owner. */
  async createOwned(plural: string, object: StoredObject): Promise<void> {
    const { namespace = '', name, labels, annotations, ownerReferences = [] } = object.metadata
    const owners = await Promise.all(
      ownerReferences.map(async owner => ({ ...owner, uid: await this.#uidOf(namespace, owner) })),
    )
    const { apiVersion, kind, spec } = object
    const metadata = { name, labels, annotations, ownerReferences: owners }
    await this.#custom.createNamespacedCustomObject({
      ...{ ...SERVING, plural, namespace },
      body: { apiVersion, kind, metadata, spec },
    })
  }

  async replaceOwned(plural: string, { metadata, spec }: StoredObject): Promise<void> {
    const { namespace = '', name } = metadata
    await this.#custom.patchNamespacedCustomObject(
      { ...SERVING, plural, namespace, name, body: { spec } },
      MERGE,
    )
  }

  async removeOwned(plural: string, namespace: string, name: string): Promise<void> {
    await this.#custom.deleteNamespacedCustomObject({ ...SERVING, plural, namespace, name })
  }

  async #uidOf(namespace: string, { kind, name }: OwnerReference): Promise<string> {
    const plural = `${kind.toLowerCase()}s`
    const owner = await this.#custom.getNamespacedCustomObject({ ...SERVING, plural, namespace, name })
    return (owner as StoredObject).metadata.uid
  }

  /** On the one node. */
  async createPod({ metadata, spec }: StoredObject, nodeName: string): Promise<void> {
    const { namespace = '', name, labels = {} } = metadata
    const body = { metadata: { name, labels }, spec: { ...(spec as { containers: [] }), nodeName } }
    await this.#core.createNamespacedPod({ namespace, body })
  }

  async setPodStatus({ metadata, status }: StoredObject): Promise<void> {
    const { namespace = '', name } = metadata
    await this.#core.patchNamespacedPodStatus({ namespace, name, body: { status } }, MERGE)
  }

  /** Marks it for removal; without a grace it is gone. */
  async deletePod(namespace: string, name: string, gracePeriodSeconds: number): Promise<void> {
    await this.#core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#watching.map(one => one.stop()))
  }

  async #watch(path: string, list: () => Promise<List>, { found, removed }: Watched): Promise<void> {
    const informer = makeInformer<KubernetesObject>(this.#config, path, list)
    // but for times, which nobody reads here
    const stored = (object: KubernetesObject) => object as unknown as StoredObject
    const take = (object: KubernetesObject) => found(stored(object))
    informer.on('add', take)
    informer.on('update', take)
    informer.on('delete', object => removed(stored(object)))
    informer.on('error', () => {
      // the server ends watches now and then
      if (!this.#isClosed) setTimeout(() => void informer.start(), WATCH_AGAIN_MS)
    })
    this.#watching.push(informer)
    await informer.start()
  }
}

type List = KubernetesListObject<KubernetesObject>
