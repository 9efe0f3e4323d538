import { randomUUID } from 'node:crypto'
import { refusals } from './api-error.ts'

export type ResourceKind = 'jobs' | 'job_runs' | 'apps' | 'config_maps' | 'secrets'

/** A thing of a project, with what the API adds to what was sent. */
export interface StoredResource {
  readonly name: string
  readonly id: string
  readonly created_at: string
  entity_tag: string
  [property: string]: unknown
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const NAME_CHARACTERS = 63
/** 'job_runs' as messages and codes say it. */
const singular = (kind: ResourceKind) => kind.slice(0, -1)

/** Things of one kind in one project, in the order in which they were made. */
export class ResourceStore {
  readonly kind: ResourceKind
  readonly #most: number
  readonly #all = new Map<string, StoredResource>()
  #tags = 0

  constructor(kind: ResourceKind, most: number) {
    this.kind = kind
    this.#most = most
  }

  list(): StoredResource[] {
    return [...this.#all.values()]
  }

  find(name: string): StoredResource | undefined {
    return this.#all.get(name)
  }

  get(name: string): StoredResource {
    const found = this.find(name)
    if (found === undefined) throw refusals.notFound()
    return found
  }

  create(body: Readonly<Record<string, unknown>>): StoredResource {
    const name = String(body.name ?? '')
    if (!NAME.test(name) || name.length > NAME_CHARACTERS)
      throw refusals.invalid(
        `The name '${name}' is not valid: lower-case letters, digits and '-', ${NAME_CHARACTERS} at most.`,
      )
    if (this.#all.has(name)) throw refusals.exists(singular(this.kind), name)
    if (this.#all.size >= this.#most) throw refusals.overQuota(this.kind, name, this.#most)
    const resource: StoredResource = {
      ...body,
      name,
      id: randomUUID(),
      created_at: new Date().toISOString(),
      entity_tag: this.#nextTag(),
    }
    this.#all.set(name, resource)
    return resource
  }

  /** Takes these properties on; refused when it is not what the tag says. */
  change(name: string, body: Readonly<Record<string, unknown>>, tag: string | undefined): StoredResource {
    const now = this.get(name)
    if (tag === undefined) throw refusals.invalid('The header If-Match is missing.')
    if (tag !== now.entity_tag) throw refusals.changed()
    Object.assign(now, body, { name, entity_tag: this.#nextTag() })
    return now
  }

  remove(name: string): StoredResource {
    const found = this.get(name)
    this.#all.delete(name)
    return found
  }

  #nextTag(): string {
    return `${++this.#tags}-${randomUUID().slice(0, 8)}`
  }
}
