import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerInstead, faultFor, type KnativeFaults } from '../../knative/faults.ts'
import type { GivenService } from '../serving/template.ts'
import type { Accounts } from './accounts.ts'
import { JOB_RULES } from './job-rules.ts'
import { Refusal, refusals } from './refusal.ts'
import { json, type Rule, type RuleParts, rule } from './rule.ts'

/** A request of an API as it came, and how it was answered. */
export interface SeenApiRequest {
  /** E.g. 'create service', 'list secrets', 'token'. */
  readonly action: string
  readonly name: string
  readonly status: number
  readonly body: string
}

export interface GoogleParts extends RuleParts {
  readonly accounts: Accounts
  readonly faults: KnativeFaults
}

const SERVICES = `/v2/projects/[^/]+/locations/[^/]+/services`
const SECRETS = `/v1/projects/[^/]+/secrets`
const REPOSITORIES = `/v1/projects/[^/]+/locations/[^/]+/repositories`

/** Methods of the APIs, by path. From: the discovery documents of run v2, secretmanager v1, artifactregistry v1, logging v2. */
const RULES: readonly Rule[] = [
  ...JOB_RULES,
  rule('POST', SERVICES, ['create service', 'run.services.create'], ({ services }, call) =>
    services.create(call.query.get('serviceId') ?? '', json<GivenService>(call)),
  ),
  rule('GET', SERVICES, ['list services', 'run.services.list'], ({ services }, { query }) =>
    services.list(query.get('pageToken') ?? ''),
  ),
  rule('GET', `${SERVICES}/([^/]+)`, ['get service', 'run.services.get'], ({ services }, { groups }) =>
    services.read(groups[0] ?? ''),
  ),
  rule('PATCH', `${SERVICES}/([^/]+)`, ['update service', 'run.services.update'], ({ services }, call) =>
    services.update(call.groups[0] ?? '', json<GivenService>(call)),
  ),
  rule(
    'DELETE',
    `${SERVICES}/([^/]+)`,
    ['delete service', 'run.services.delete'],
    ({ services }, { groups }) => services.remove(groups[0] ?? ''),
  ),
  rule(
    'GET',
    `/v[12]/(projects/[^/]+/locations/[^/]+/operations/[^/]+)`,
    ['get operation', 'run.operations.get'],
    ({ operations }, { groups }) => operations.read(groups[0] ?? ''),
  ),
  rule('POST', SECRETS, ['create secret', 'secretmanager.secrets.create'], ({ secrets }, call) =>
    secrets.create(
      call.query.get('secretId') ?? '',
      json<{ readonly labels?: Readonly<Record<string, string>> }>(call).labels ?? {},
    ),
  ),
  rule('GET', SECRETS, ['list secrets', 'secretmanager.secrets.list'], ({ secrets }, { query }) =>
    secrets.list(query.get('pageToken') ?? ''),
  ),
  rule('GET', `${SECRETS}/([^/:]+)`, ['get secret', 'secretmanager.secrets.get'], ({ secrets }, { groups }) =>
    secrets.read(groups[0] ?? ''),
  ),
  rule(
    'DELETE',
    `${SECRETS}/([^/:]+)`,
    ['delete secret', 'secretmanager.secrets.delete'],
    ({ secrets }, { groups }) => secrets.remove(groups[0] ?? ''),
  ),
  rule(
    'GET',
    `${SECRETS}/([^/:]+):getIamPolicy`,
    ['get policy', 'secretmanager.secrets.getIamPolicy'],
    ({ secrets }, { groups }) => secrets.policy(groups[0] ?? ''),
  ),
  rule(
    'POST',
    `${SECRETS}/([^/:]+):setIamPolicy`,
    ['set policy', 'secretmanager.secrets.setIamPolicy'],
    ({ secrets }, call) =>
      secrets.setPolicy(call.groups[0] ?? '', json<{ readonly policy: object }>(call).policy),
  ),
  rule(
    'POST',
    `${SECRETS}/([^/:]+):addVersion`,
    ['add version', 'secretmanager.versions.add'],
    ({ secrets }, call) =>
      secrets.addVersion(
        call.groups[0] ?? '',
        json<{ readonly payload: { readonly data: string } }>(call).payload.data,
      ),
  ),
  rule(
    'GET',
    `${SECRETS}/([^/:]+)/versions/(\\w+):access`,
    ['access version', 'secretmanager.versions.access'],
    ({ secrets }, { groups }) => secrets.access(groups[0] ?? '', groups[1] ?? ''),
  ),
  rule(
    'GET',
    `${SECRETS}/([^/:]+)/versions`,
    ['list versions', 'secretmanager.versions.list'],
    ({ secrets }, { groups, query }) => secrets.listVersions(groups[0] ?? '', query.get('pageToken') ?? ''),
  ),
  rule(
    'POST',
    `${SECRETS}/([^/:]+)/versions/(\\w+):destroy`,
    ['destroy version', 'secretmanager.versions.destroy'],
    ({ secrets }, { groups }) => secrets.destroy(groups[0] ?? '', groups[1] ?? ''),
  ),
  rule('POST', '/v2/entries:list', ['list entries', 'logging.logEntries.list'], ({ log }, call) =>
    log.list(json(call)),
  ),
  rule(
    'GET',
    `${REPOSITORIES}/([^/]+)`,
    ['get repository', 'artifactregistry.repositories.get'],
    ({ repositories, parent }, { groups: [name = ''] }) => {
      if (!repositories.has(name)) throw refusals.notFound(`Repository ${name}`)
      return { name: `${parent}/repositories/${name}`, format: 'DOCKER' }
    },
  ),
  rule(
    'POST',
    REPOSITORIES,
    ['create repository', 'artifactregistry.repositories.create'],
    ({ repositories, operations, parent }, { query }) => {
      const name = query.get('repositoryId') ?? ''
      if (repositories.has(name)) throw refusals.exists('the repository')
      return operations.begin(async () => {
        await new Promise(done => setTimeout(done, 20))
        repositories.add(name)
        return { name: `${parent}/repositories/${name}`, format: 'DOCKER' }
      })
    },
  ),
  rule(
    'GET',
    `${REPOSITORIES}/[^/]+/packages/([^/]+)`,
    ['get package', 'artifactregistry.packages.get'],
    ({ registry }, { groups: [name = ''] }) => {
      if (!registry.hasPath(decodeURIComponent(name))) throw refusals.notFound('Package')
      return { name }
    },
  ),
  rule(
    'DELETE',
    `${REPOSITORIES}/[^/]+/packages/([^/]+)/versions/([^/]+)`,
    ['delete version', 'artifactregistry.versions.delete'],
    ({ registry, operations }, { groups: [name = '', digest = ''], query }) => {
      if (query.get('force') !== 'true') throw refusals.failedPrecondition('The version is tagged.')
      return operations.begin(async () => {
        registry.removeVersion(decodeURIComponent(name), digest)
        return {}
      })
    },
  ),
  rule(
    'DELETE',
    `${REPOSITORIES}/[^/]+/packages/([^/]+)`,
    ['delete package', 'artifactregistry.packages.delete'],
    ({ registry, operations }, { groups: [name = ''] }) => {
      if (!registry.hasPath(decodeURIComponent(name))) throw refusals.notFound('Package')
      return operations.begin(async () => {
        registry.removePath(decodeURIComponent(name))
        return {}
      })
    },
  ),
]

/** The APIs of Google's that clients of Cloud Run need, on one port: JSON over REST, bearer tokens, permissions. */
export class GoogleServer {
  readonly requests: SeenApiRequest[] = []
  readonly #parts: GoogleParts
  readonly #server: Server

  private constructor(parts: GoogleParts) {
    this.#parts = parts
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(parts: GoogleParts): Promise<GoogleServer> {
    const server = new GoogleServer(parts)
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
    if (request.headers['metadata-flavor'] === 'Google') {
      const text = this.#parts.accounts.metadata(url.pathname.replace(/(.)\/$/, '$1'), url.searchParams)
      this.requests.push({
        action: 'metadata',
        name: url.pathname,
        status: text === undefined ? 404 : 200,
        body,
      })
      const type = text?.startsWith('{') ? 'application/json' : 'application/text'
      response.writeHead(text === undefined ? 404 : 200, {
        'metadata-flavor': 'Google',
        'content-type': type,
      })
      response.end(text)
      return
    }
    const found = RULES.find(({ method, path }) => method === request.method && path.test(url.pathname))
    const action = url.pathname === '/token' ? 'token' : (found?.action ?? `${request.method}`)
    const fault = faultFor(this.#parts.faults, { place: 'api', action, name: url.pathname })
    const respond = (status: number, text: string) => {
      // assertions and secrets are for the endpoint alone
      this.requests.push({ action, name: url.pathname, status, body })
      if (fault?.kind === 'loseReply') {
        response.destroy()
        return
      }
      response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' })
      response.end(text)
    }
    try {
      if (await answerInstead(fault, response)) return
      if (action === 'token') {
        const answer = this.#parts.accounts.give(new URLSearchParams(body))
        respond(answer.status, JSON.stringify(answer.body))
        return
      }
      respond(200, JSON.stringify(await this.#answer(found, url, { request, body })))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      respond(error.status, error.body)
    }
  }

  async #answer(
    found: Rule | undefined,
    url: URL,
    { request, body }: { readonly request: IncomingMessage; readonly body: string },
  ): Promise<object> {
    const { accounts } = this.#parts
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined || !accounts.isAccess(token)) throw refusals.unauthenticated()
    if (found === undefined) throw refusals.notFound('The requested URL')
    const resource = url.pathname.replace(/^\/v\d\//, '')
    if (!accounts.may(found.permission)) throw refusals.denied(found.permission, resource)
    const groups = found.path.exec(url.pathname)?.slice(1) ?? []
    return found.answer(this.#parts, { groups, query: url.searchParams, body })
  }
}
