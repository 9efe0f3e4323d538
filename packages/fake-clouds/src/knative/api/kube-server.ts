import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type KnativeFaults, strike } from '../faults.ts'
import { type Accounts, isAllowed, type Wish } from './accounts.ts'
import type { GivenObject, ObjectStore, StoredObject } from './object-store.ts'
import { refusals, StatusError } from './status-error.ts'

/** A request as it came, and how it was answered. */
export interface SeenKubeRequest {
  /** E.g. 'create secrets', 'get pods/log'. */
  readonly action: string
  readonly name: string | undefined
  readonly status: number
  readonly body: string
}

/** What the server does with objects of one kind, beside keeping them. */
export interface Hooks {
  /** Throws StatusError for what is not taken. */
  readonly admit?: (object: GivenObject, namespace: string, isNew: boolean) => void
  readonly changed?: (object: StoredObject) => void
  /** Takes the place of removing. */
  readonly remove?: (object: StoredObject) => void
  /** The answer to a subresource: text. */
  readonly subresource?: (object: StoredObject, name: string, query: URLSearchParams) => string
}

export interface Kind {
  readonly store: ObjectStore
  readonly apiVersion: string
  readonly kind: string
  readonly isNamespaced: boolean
  readonly hooks: Hooks
}

interface Target {
  readonly kind: Kind
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', DELETE: 'delete' }

/**
 * The part of a Kubernetes API server that clients of Knative need: objects in JSON, bearer tokens, roles, and refusals in
 * the form of Status. It watches nothing, patches nothing, and has no pages.
 */
export class KubeServer {
  readonly requests: SeenKubeRequest[] = []
  readonly #kinds: readonly Kind[]
  readonly #accounts: Accounts
  readonly #faults: KnativeFaults
  readonly #server: Server

  private constructor(kinds: readonly Kind[], accounts: Accounts, faults: KnativeFaults) {
    this.#kinds = kinds
    this.#accounts = accounts
    this.#faults = faults
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(kinds: readonly Kind[], accounts: Accounts, faults: KnativeFaults): Promise<KubeServer> {
    const server = new KubeServer(kinds, accounts, faults)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const target = this.#targetOf(url.pathname)
    const wish = wishOf(request.method ?? 'GET', target)
    const action = wish === undefined ? (request.method ?? '') : actionOf(wish)
    const respond = (status: number, type: string, text: string) => {
      this.requests.push({ action, name: target?.name, status, body })
      response.writeHead(status, { 'content-type': type })
      response.end(text)
    }
    try {
      if (await strike(this.#faults, { place: 'api', action, name: target?.name }, response)) return
      const account = this.#accounts.of(request.headers.authorization)
      if (account === undefined) throw refusals.unauthorized()
      if (target === undefined || wish === undefined) {
        respond(404, 'text/plain; charset=utf-8', '404 page not found\n')
        return
      }
      if (!isAllowed(account, wish))
        throw refusals.forbidden(account.name, wish.verb, wish.resource, wish.namespace)
      const answer = this.#act(wish.verb, target, url.searchParams, body)
      if (typeof answer === 'string') respond(200, 'text/plain', answer)
      else respond(wish.verb === 'create' ? 201 : 200, 'application/json', JSON.stringify(answer))
    } catch (error) {
      const refusal =
        error instanceof StatusError
          ? error
          : new StatusError(500, 'InternalError', `Internal error occurred: ${(error as Error).message}`)
      respond(refusal.code, 'application/json', refusal.body)
    }
  }

  #act(
    verb: string,
    { kind, namespace = '', name = '', subresource }: Target,
    query: URLSearchParams,
    body: string,
  ): unknown {
    const { store, hooks } = kind
    switch (verb) {
      case 'list': {
        const items = store.list(kind.isNamespaced ? namespace : undefined, query.get('labelSelector') ?? '')
        return {
          apiVersion: kind.apiVersion,
          kind: `${kind.kind}List`,
          metadata: { resourceVersion: '1' },
          items,
        }
      }
      case 'get': {
        const object = store.get(namespace, name)
        return subresource === undefined ? object : hooks.subresource?.(object, subresource, query)
      }
      case 'create': {
        const given = JSON.parse(body) as GivenObject
        hooks.admit?.(given, namespace, true)
        const made = store.create(namespace, given)
        // what a client sees is what was stored, and not what controllers make of it a moment later
        const seen = structuredClone(made)
        hooks.changed?.(made)
        return seen
      }
      case 'update': {
        const given = JSON.parse(body) as GivenObject
        hooks.admit?.(given, namespace, false)
        const changed = store.replace(namespace, name, given)
        const seen = structuredClone(changed)
        hooks.changed?.(changed)
        return seen
      }
      default: {
        const object = store.get(namespace, name)
        if (hooks.remove === undefined) store.remove(namespace, name)
        else hooks.remove(object)
        return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }
      }
    }
  }

  #targetOf(path: string): Target | undefined {
    const parts = path.split('/').filter(part => part !== '')
    const [root, ...afterRoot] = parts
    const [group, version, ...rest] = root === 'apis' ? afterRoot : ['', ...afterRoot]
    const isNamespaced = rest[0] === 'namespaces' && rest.length > 2
    const namespace = isNamespaced ? rest[1] : undefined
    const [plural, name, subresource] = isNamespaced ? rest.slice(2) : rest
    const apiVersion = root === 'apis' ? `${group}/${version}` : version
    const kind = this.#kinds.find(
      one =>
        one.apiVersion === apiVersion &&
        one.store.resource.plural === plural &&
        one.isNamespaced === isNamespaced,
    )
    return kind === undefined ? undefined : { kind, namespace, name, subresource }
  }
}

function wishOf(method: string, target: Target | undefined): Wish | undefined {
  const verb = method === 'GET' ? (target?.name === undefined ? 'list' : 'get') : VERBS[method]
  if (target === undefined || verb === undefined) return undefined
  const { kind, namespace, name, subresource } = target
  return { verb, resource: kind.store.resource, subresource, namespace, name }
}

function actionOf({ verb, resource, subresource }: Wish): string {
  const kind = resource.group !== '' && resource.plural === 'services' ? 'ksvc' : resource.plural
  return `${verb} ${kind}${subresource === undefined ? '' : `/${subresource}`}`
}
