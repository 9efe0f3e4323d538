import { randomUUID } from 'node:crypto'
import { type Resource, refusals, StatusError } from './status-error.ts'

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface StoredObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    creationTimestamp: string
    generation?: number
    deletionTimestamp?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    ownerReferences?: readonly OwnerReference[]
  }
  spec?: unknown
  status?: unknown
  data?: Record<string, string>
  type?: string
}

/** What a client sends: names and labels at the least. */
export interface GivenObject {
  readonly metadata?: {
    readonly name?: string
    readonly resourceVersion?: string
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
    readonly ownerReferences?: readonly OwnerReference[]
  }
  readonly spec?: unknown
  readonly [field: string]: unknown
}

const DNS_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/

/** Objects of one kind: versions that grow with each change of any of them, generations with each change of a spec. */
export class ObjectStore {
  readonly resource: Resource
  readonly #hasGenerations: boolean
  readonly #objects = new Map<string, StoredObject>()

  constructor(resource: Resource, { hasGenerations = false } = {}) {
    this.resource = resource
    this.#hasGenerations = hasGenerations
  }

  find(namespace: string, name: string): StoredObject | undefined {
    return this.#objects.get(keyOf(namespace, name))
  }

  get(namespace: string, name: string): StoredObject {
    const found = this.find(namespace, name)
    if (found === undefined) throw refusals.notFound(this.resource, name)
    return found
  }

  /** `selector`: `key=value` pairs with commas between. */
  list(namespace: string | undefined, selector = ''): StoredObject[] {
    const wanted = selector
      .split(',')
      .filter(pair => pair !== '')
      .map(pair => pair.split('=') as [string, string])
    return [...this.#objects.values()].filter(
      ({ metadata }) =>
        (namespace === undefined || metadata.namespace === namespace) &&
        wanted.every(([key, value]) => metadata.labels?.[key] === value),
    )
  }

  create(namespace: string, given: GivenObject): StoredObject {
    const name = given.metadata?.name ?? ''
    checkNames(name, given.metadata?.labels)
    if (this.find(namespace, name) !== undefined) throw refusals.alreadyExists(this.resource, name)
    const { status: _, ...rest } = given
    const object: StoredObject = {
      ...rest,
      metadata: {
        ...given.metadata,
        name,
        namespace,
        uid: randomUUID(),
        resourceVersion: nextVersion(),
        creationTimestamp: new Date().toISOString(),
        ...(this.#hasGenerations ? { generation: 1 } : {}),
      },
    }
    this.#objects.set(keyOf(namespace, name), object)
    return object
  }

  /** With a version: refused when the object has another. */
  replace(namespace: string, name: string, given: GivenObject): StoredObject {
    const now = this.get(namespace, name)
    const version = given.metadata?.resourceVersion
    if (version !== undefined && version !== now.metadata.resourceVersion)
      throw refusals.conflict(this.resource, name)
    checkNames(name, given.metadata?.labels)
    const isChanged = JSON.stringify(given.spec) !== JSON.stringify(now.spec)
    const { uid, creationTimestamp, generation = 0, deletionTimestamp } = now.metadata
    const object: StoredObject = {
      ...given,
      status: now.status,
      metadata: {
        ...given.metadata,
        name,
        namespace,
        uid,
        creationTimestamp,
        resourceVersion: nextVersion(),
        ...(this.#hasGenerations ? { generation: generation + (isChanged ? 1 : 0) } : {}),
        ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      },
    }
    this.#objects.set(keyOf(namespace, name), object)
    return object
  }

  /** Keeps an object as another server has it, in the place of the one of its name. */
  put(object: StoredObject): void {
    this.#objects.set(keyOf(object.metadata.namespace ?? '', object.metadata.name), object)
  }

  /** As controllers do: the spec is not touched. */
  setStatus(namespace: string, name: string, status: unknown): void {
    const now = this.find(namespace, name)
    if (now === undefined) return
    now.status = status
    now.metadata.resourceVersion = nextVersion()
  }

  /** Marked for removal, and still there: something has to be done first. */
  markDeleted(namespace: string, name: string): StoredObject {
    const now = this.get(namespace, name)
    now.metadata.deletionTimestamp ??= new Date().toISOString()
    now.metadata.resourceVersion = nextVersion()
    return now
  }

  remove(namespace: string, name: string): void {
    this.#objects.delete(keyOf(namespace, name))
  }
}

let lastVersion = 1000

/** One count for all kinds, as etcd has it. */
function nextVersion(): string {
  return String(++lastVersion)
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

function checkNames(name: string, labels: Readonly<Record<string, string>> = {}): void {
  const flaws = [
    ...(DNS_NAME.test(name) ? [] : [`metadata.name: Invalid value: "${name}"`]),
    ...Object.values(labels)
      .filter(value => !LABEL_VALUE.test(value))
      .map(value => `metadata.labels: Invalid value: "${value}"`),
  ]
  if (flaws.length > 0) throw new StatusError(422, 'Invalid', `"${name}" is invalid: ${flaws.join(', ')}`)
}
