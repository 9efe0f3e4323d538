import { type GivenObject, ObjectStore, type StoredObject } from '../api/object-store.ts'
import type { Resource } from '../api/status-error.ts'

/** What of a store's changes a cluster is told, and how. Absent: the cluster has told it, or nobody needs to know. */
export interface Upstream {
  readonly create?: (object: StoredObject) => Promise<void>
  readonly replace?: (object: StoredObject) => Promise<void>
  readonly setStatus?: (object: StoredObject) => Promise<void>
  readonly markDeleted?: (object: StoredObject) => Promise<void>
  readonly remove?: (namespace: string, name: string) => Promise<void>
  /** A change that the cluster did not take, and why. */
  readonly onFailure: (what: string, error: unknown) => void
}

/**
 * A controller's view of objects of a cluster: it is changed at once, and the cluster is told in the same order, one change of an
 * object after the other.
 */
export class MirroredStore extends ObjectStore {
  readonly #upstream: Upstream
  readonly #tellings = new Map<string, Promise<void>>()
  readonly #statuses = new Map<string, string>()

  constructor(resource: Resource, upstream: Upstream) {
    super(resource)
    this.#upstream = upstream
  }

  override create(namespace: string, given: GivenObject): StoredObject {
    const object = super.create(namespace, given)
    const { create } = this.#upstream
    if (create !== undefined) this.#tell('create', object, () => create(structuredClone(object)))
    return object
  }

  override replace(namespace: string, name: string, given: GivenObject): StoredObject {
    const object = super.replace(namespace, name, given)
    const { replace } = this.#upstream
    if (replace !== undefined) this.#tell('replace', object, () => replace(structuredClone(object)))
    return object
  }

  /** The same status again is not told. */
  override setStatus(namespace: string, name: string, status: unknown): void {
    super.setStatus(namespace, name, status)
    const object = this.find(namespace, name)
    const { setStatus } = this.#upstream
    if (object === undefined || setStatus === undefined) return
    const text = JSON.stringify(status)
    const key = `${namespace}/${name}`
    if (this.#statuses.get(key) === text) return
    this.#statuses.set(key, text)
    const told = structuredClone(object)
    this.#tell('set the status of', object, () => setStatus(told))
  }

  override markDeleted(namespace: string, name: string): StoredObject {
    const object = super.markDeleted(namespace, name)
    const { markDeleted } = this.#upstream
    if (markDeleted !== undefined) this.#tell('end', object, () => markDeleted(object))
    return object
  }

  override remove(namespace: string, name: string): void {
    const object = this.find(namespace, name)
    super.remove(namespace, name)
    this.#statuses.delete(`${namespace}/${name}`)
    const { remove } = this.#upstream
    if (object !== undefined && remove !== undefined)
      this.#tell('remove', object, () => remove(namespace, name))
  }

  /** Resolves when the cluster has been told everything. */
  async told(): Promise<void> {
    while (this.#tellings.size > 0) await Promise.all(this.#tellings.values())
  }

  #tell(what: string, { metadata }: StoredObject, tell: () => Promise<void>): void {
    const key = `${metadata.namespace ?? ''}/${metadata.name}`
    const before = this.#tellings.get(key) ?? Promise.resolve()
    const telling = before
      .then(tell)
      .catch(error => this.#upstream.onFailure(`${what} ${this.resource.plural} ${key}`, error))
      .then(() => {
        if (this.#tellings.get(key) === telling) this.#tellings.delete(key)
      })
    this.#tellings.set(key, telling)
  }
}
