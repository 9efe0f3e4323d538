import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bodyOf, multipartOf, resource, sendBytes, sendJson } from './answers.ts'
import { GcsError } from './gcs-error.ts'
import { Objects } from './objects.ts'
import { PartedUploads } from './parted-uploads.ts'
import { ALL_PERMISSIONS, type GcsPermission } from './permissions.ts'
import { type GcsAccount, ServiceAccounts } from './service-accounts.ts'
import { signerOf } from './signed-address.ts'

export type { GcsAccount } from './service-accounts.ts'

/** A copy of more than this takes several requests, as in the service between two places. */
const COPY_BYTES = 4 << 20
const TOKENS = '/token'

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly body: Buffer
  readonly isWhole: boolean
  /** Throws unless the caller may. */
  readonly need: (permission: GcsPermission) => void
}

/**
 * The JSON API of Google Cloud Storage as far as the driver needs it, in memory, for what fake-gcs-server has not: tokens,
 * rights, signatures, uploads that go on where they broke, and conditions of reads. Held to the truth by Google's own
 * libraries, and by the tests that run on fake-gcs-server too.
 */
export class FakeGcs implements AsyncDisposable {
  readonly endpoint: string
  readonly accounts = new ServiceAccounts()
  /** May do everything. */
  readonly owner: GcsAccount
  readonly #objects = new Objects()
  readonly #uploads = new PartedUploads(this.#objects)
  readonly #server: Server
  /** Bucket settings that were asked for, by name. */
  readonly bucketSettings = new Map<string, Readonly<Record<string, unknown>>>()

  private constructor(server: Server) {
    this.#server = server
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.owner = this.account(ALL_PERMISSIONS)
  }

  static async start(): Promise<FakeGcs> {
    let fake: FakeGcs | undefined
    const server = createServer((request, response) => void fake?.serve(request, response))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    fake = new FakeGcs(server)
    return fake
  }

  /** A new service account, with a key. */
  account(permissions: readonly GcsPermission[]): GcsAccount {
    return this.accounts.create(permissions, `${this.endpoint}${TOKENS}`)
  }

  get unfinishedUploads(): string[] {
    return this.#uploads.unfinished
  }

  /** May be called twice. */
  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(String(request.url), this.endpoint)
    const { body, isWhole } = await bodyOf(request)
    const isSigned = url.searchParams.has('X-Goog-Signature')
    try {
      if (url.pathname === TOKENS) {
        const { status, body: answer } = this.accounts.give(new URLSearchParams(body.toString()))
        return sendJson(response, status, answer)
      }
      const caller = this.#callerOf(request, url, isSigned)
      const need = (permission: GcsPermission) => {
        if (caller?.permissions.has(permission)) return
        const who = caller?.email ?? 'Anonymous caller'
        const text = `${who} does not have ${permission} access to the Google Cloud Storage object. Permission '${permission}' denied on resource (or it may not exist).`
        throw caller === undefined
          ? new GcsError(401, 'required', text)
          : new GcsError(403, 'forbidden', text)
      }
      const call = { request, response, url, body, isWhole, need }
      if (url.pathname.startsWith('/upload/')) this.#upload(call)
      else if (url.pathname.startsWith('/storage/v1/b')) this.#answer(call)
      else this.#signed(call)
    } catch (error) {
      if (!(error instanceof GcsError)) throw error
      response.statusCode = error.status
      if (isSigned) response.setHeader('content-type', 'application/xml').end(error.xml)
      // bytes that were asked for are not there: that is said in text
      else if (url.searchParams.get('alt') === 'media' && error.status === 404) {
        response.setHeader('content-type', 'text/html; charset=UTF-8').end(error.message)
      } else response.setHeader('content-type', 'application/json; charset=UTF-8').end(error.json)
    }
  }

  #callerOf(request: IncomingMessage, url: URL, isSigned: boolean): GcsAccount | undefined {
    if (isSigned) return signerOf(request, url, this.accounts)
    // whoever has the address of an upload may go on with it
    if (url.searchParams.has('upload_id')) return this.owner
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const owner = this.accounts.owner(token)
    if (owner === undefined) throw new GcsError(401, 'authError', 'Invalid Credentials')
    return owner
  }

  #upload({ request, response, url, body, isWhole, need }: Call): void {
    const query = url.searchParams
    const id = query.get('upload_id')
    if (id !== null) {
      if (request.method === 'DELETE') {
        this.#uploads.cancel(id)
        response.writeHead(499).end()
        return
      }
      const result = this.#uploads.put(id, String(request.headers['content-range']), body, isWhole)
      if ('object' in result)
        return sendJson(response, 200, resource(result.bucket, result.key, result.object))
      const range = result.bytes === 0 ? {} : { range: `bytes=0-${result.bytes - 1}` }
      response.writeHead(308, range).end()
      return
    }
    if (!isWhole) return
    const bucket = decodeURIComponent(/^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(url.pathname)?.[1] ?? '')
    need('storage.objects.create')
    const conditions = { ifGenerationMatch: query.get('ifGenerationMatch') }
    const contentType = String(request.headers['content-type'] ?? 'application/octet-stream')
    const name = query.get('name') ?? ''
    if (this.#objects.bucket(bucket).has(name) && conditions.ifGenerationMatch === null)
      need('storage.objects.delete')
    if (query.get('uploadType') === 'resumable') {
      const upload = {
        bucket,
        key: name,
        contentType: String(request.headers['x-upload-content-type']),
        conditions,
      }
      const location = new URL(url)
      location.searchParams.set('upload_id', this.#uploads.begin(upload))
      response.writeHead(200, { location: location.href }).end()
      return
    }
    const part = query.get('uploadType') === 'multipart' ? multipartOf(contentType, body) : undefined
    const { contentEncoding } = part?.metadata ?? {}
    const key = part?.metadata.name ?? name
    const object = {
      bytes: part?.bytes ?? body,
      contentType: part?.metadata.contentType ?? contentType,
      ...(contentEncoding === undefined ? {} : { contentEncoding }),
    }
    sendJson(response, 200, resource(bucket, key, this.#objects.put(bucket, key, object, conditions)))
  }

  #answer(call: Call): void {
    const { request, response, url, body, need } = call
    const parts = url.pathname.split('/').slice(4).map(decodeURIComponent)
    const [bucket, , key, verb, , toBucket, , toKey] = parts as [
      string?,
      string?,
      string?,
      string?,
      ...string[],
    ]
    const query = url.searchParams
    if (bucket === undefined) {
      need('storage.buckets.create')
      const settings = JSON.parse(body.toString()) as { readonly name: string }
      this.#objects.createBucket(settings.name)
      this.bucketSettings.set(settings.name, settings)
      return sendJson(response, 200, { name: settings.name })
    }
    if (key === undefined) {
      need('storage.objects.list')
      const page = this.#objects.list(bucket, {
        prefix: query.get('prefix') ?? '',
        startOffset: query.get('startOffset') ?? '',
        from: Buffer.from(query.get('pageToken') ?? '', 'base64url').toString(),
        maxResults: Number(query.get('maxResults') ?? 1000),
      })
      const items = page.keys.map(name => resource(bucket, name, this.#objects.get(bucket, name)))
      const next =
        page.next === undefined ? {} : { nextPageToken: Buffer.from(page.next).toString('base64url') }
      return sendJson(response, 200, { ...(items.length === 0 ? {} : { items }), ...next })
    }
    if (verb === 'rewriteTo') return this.#rewrite(call, bucket, key, String(toBucket), String(toKey))
    if (request.method === 'DELETE') {
      need('storage.objects.delete')
      this.#objects.delete(bucket, key)
      response.writeHead(204).end()
      return
    }
    need('storage.objects.get')
    const object = this.#objects.get(bucket, key, { ifGenerationMatch: query.get('ifGenerationMatch') })
    if (query.get('alt') === 'media') return sendBytes(request, response, object)
    sendJson(response, 200, resource(bucket, key, object))
  }

  #rewrite(
    { response, url, need }: Call,
    bucket: string,
    key: string,
    toBucket: string,
    toKey: string,
  ): void {
    need('storage.objects.get')
    need('storage.objects.create')
    const source = this.#objects.get(bucket, key)
    const size = source.bytes.length
    const done = Number(url.searchParams.get('rewriteToken') ?? 0) + COPY_BYTES
    if (done < size) {
      return sendJson(response, 200, { done: false, rewriteToken: String(done), objectSize: String(size) })
    }
    const copied = this.#objects.put(toBucket, toKey, source)
    sendJson(response, 200, { done: true, resource: resource(toBucket, toKey, copied) })
  }

  #signed({ request, response, url, body, need }: Call): void {
    const [bucket = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    const key = rest.join('/')
    if (request.method === 'PUT') {
      need('storage.objects.create')
      const contentType = String(request.headers['content-type'] ?? 'application/octet-stream')
      this.#objects.put(bucket, key, { bytes: body, contentType })
      response.writeHead(200).end()
      return
    }
    need('storage.objects.get')
    sendBytes(request, response, this.#objects.get(bucket, key))
  }
}
