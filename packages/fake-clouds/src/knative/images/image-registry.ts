import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An image of `podman-stand-in.mjs`: the files that were laid over its base, and what starts it. */
export interface StandInImage {
  /** Base64, by absolute path in the image. */
  readonly files: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** The configuration with the labels, as a blob. */
  readonly config?: { readonly digest: string }
}

/** Who may push and pull: one login, or whoever this says yes to. */
export type RegistryAccess =
  | { readonly user: string; readonly password: string }
  | ((login: { readonly user: string; readonly password: string }) => boolean)

const MANIFESTS = /^\/v2\/(.+)\/manifests\/([^/]+)$/
const BLOBS = /^\/v2\/(.+)\/blobs\/([^/]+)$/
const TAGS = /^\/v2\/(.+)\/tags\/list(?:\?|$)/

/**
 * Where `podman-stand-in.mjs` pushes to and clusters without podman pull from. It answers the questions about tags and
 * digests of the OCI Distribution Specification, and those about labels; an image is one JSON document here, without layers.
 */
export class ImageRegistry {
  readonly #images = new Map<string, string>()
  readonly #tags = new Map<string, string>()
  readonly #access: RegistryAccess | undefined
  readonly #server: Server
  /** It removes no images, as many registries do not. */
  isUnremovable = false
  /** E.g. 'PUT team/worker:1'. */
  readonly requests: string[] = []

  private constructor(access: RegistryAccess | undefined) {
    this.#access = access
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** With a login, nobody else may push or pull. */
  static async start(access?: RegistryAccess): Promise<ImageRegistry> {
    const registry = new ImageRegistry(access)
    await new Promise<void>(resolve => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What was pushed. */
  get digests(): readonly string[] {
    return [...this.#images.keys()]
  }

  /** Tags of the images of a path, in the order of their first push. */
  tags(path: string): readonly string[] {
    return [...this.#tags.keys()]
      .filter(tag => tag.startsWith(`${path}:`))
      .map(tag => tag.slice(path.length + 1))
  }

  /** All that was pushed, to search it. */
  get content(): string {
    return [...this.#images.values()].join('\n')
  }

  /** Removes all images whose path ends so. Returns how many tags they had. */
  removePath(end: string): number {
    const tags = [...this.#tags.keys()].filter(tag => tag.replace(/:[^:]*$/, '').endsWith(`/${end}`))
    for (const tag of tags) {
      this.#images.delete(this.#tags.get(tag) ?? '')
      this.#tags.delete(tag)
    }
    return tags.length
  }

  /** Whether there are images whose path ends so. */
  hasPath(end: string): boolean {
    return [...this.#tags.keys()].some(tag => tag.replace(/:[^:]*$/, '').endsWith(`/${end}`))
  }

  /** Removes one image of a path that ends so, with its tags there. Returns whether it was there. */
  removeVersion(end: string, digest: string): boolean {
    const path = [...this.#tags]
      .filter(([, of]) => of === digest)
      .map(([tag]) => tag.replace(/:[^:]*$/, ''))
      .find(path => path.endsWith(`/${end}`))
    return path !== undefined && this.#removeFrom(path, digest)
  }

  remove(digest: string): void {
    this.#images.delete(digest)
    for (const [tag, of] of this.#tags) if (of === digest) this.#tags.delete(tag)
  }

  /** By digest. Undefined: there is no such image; 'unauthorized': the login is wrong. */
  pull(reference: string, authorization: string | undefined): StandInImage | 'unauthorized' | undefined {
    if (!this.#admits(authorization)) return 'unauthorized'
    const [, digest = ''] = reference.split('@')
    const text = this.#images.get(digest)
    return text === undefined ? undefined : (JSON.parse(text) as StandInImage)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  /** Of one path: the same content may be there below others. */
  #removeFrom(path: string, digest: string): boolean {
    const tags = [...this.#tags].filter(([, of]) => of === digest).map(([tag]) => tag)
    const here = tags.filter(tag => tag.startsWith(`${path}:`))
    for (const tag of here) this.#tags.delete(tag)
    if (here.length === tags.length) this.#images.delete(digest)
    return here.length > 0
  }

  #admits(authorization: string | undefined): boolean {
    if (this.#access === undefined) return true
    const [user = '', ...rest] = Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64')
      .toString('utf8')
      .split(':')
    const password = rest.join(':')
    if (typeof this.#access === 'function') return this.#access({ user, password })
    return user === this.#access.user && password === this.#access.password
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, headers: Record<string, string> = {}, body = '') => {
      response.writeHead(status, headers)
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (!this.#admits(request.headers.authorization)) {
      answer(401, { 'www-authenticate': 'Basic realm="registry"' })
      return
    }
    const [, repository] = TAGS.exec(request.url ?? '') ?? []
    if (repository !== undefined) {
      const body = JSON.stringify({ name: repository, tags: this.tags(repository) })
      answer(200, { 'content-type': 'application/json' }, body)
      return
    }
    const [, , blob] = BLOBS.exec(request.url ?? '') ?? []
    if (blob !== undefined) {
      const images = [...this.#images.values()].map(text => JSON.parse(text) as StandInImage)
      const image = images.find(({ config }) => config?.digest === blob)
      if (image === undefined) answer(404)
      else answer(200, {}, JSON.stringify({ config: { Labels: image.labels } }))
      return
    }
    const [, path = '', reference = ''] = MANIFESTS.exec(request.url ?? '') ?? []
    if (path === '') {
      answer(request.url === '/v2/' ? 200 : 404)
      return
    }
    this.requests.push(`${request.method} ${path}:${reference}`)
    if (request.method === 'PUT') {
      const text = Buffer.concat(chunks).toString('utf8')
      const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
      this.#images.set(digest, text)
      this.#tags.set(`${path}:${reference}`, digest)
      answer(201, { 'docker-content-digest': digest })
      return
    }
    if (request.method === 'DELETE') {
      if (this.isUnremovable) answer(405)
      else answer(this.#removeFrom(path, reference) ? 202 : 404)
      return
    }
    const digest = reference.startsWith('sha256:') ? reference : this.#tags.get(`${path}:${reference}`)
    const text = digest === undefined ? undefined : this.#images.get(digest)
    if (digest === undefined || text === undefined) answer(404)
    else answer(200, { 'docker-content-digest': digest, 'content-type': 'application/json' }, text)
  }
}
