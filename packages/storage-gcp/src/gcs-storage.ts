import type { Readable } from 'node:stream'
import type { Storage } from '@google-cloud/storage'
import {
  type Body,
  bucketNotFound,
  checkKey,
  flawOfKey,
  forEachAtOnce,
  type GetOptions,
  isWellFormed,
  type ListOptions,
  type ObjectEntry,
  type ObjectHead,
  type ObjectPlace,
  objectChanged,
  objectNotFound,
  type PutOptions,
  resolveRange,
  type StorageBackend,
  type StorageCallOptions,
  type StoragePlace,
  StreamBody,
  storageClosed,
  storageFailed,
} from '@lithops/core/driver'
import { missing, statusOf, translate } from './gcs-errors.ts'
import { failureOfConnection, failureOfToken, type Headers } from './gcs-failure.ts'
import type { GcsAnswer, GcsRequest, GcsSession } from './gcs-session.ts'
import { DELETES_AT_ONCE, KEY_LIMITS, MAX_KEY_BYTES } from './limits.ts'
import { presign } from './signed-urls.ts'
import { type GcsObject, isTaken, upload } from './upload.ts'

type KeyPlace = StoragePlace & { readonly key: string }

const LIST_FIELDS = 'size,generation,updated'
const HEAD_FIELDS = `${LIST_FIELDS},contentType`

/**
 * Google Cloud Storage, by its JSON API. The ETag of an object is its generation: the service's own changes with its
 * metadata too.
 */
export class GcsStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name = 'gcp_storage'
  readonly defaultBucket: string
  readonly capabilities: StorageBackend['capabilities']
  readonly presignUrl?: NonNullable<StorageBackend['presignUrl']>
  readonly #session: GcsSession
  readonly #client: Storage
  readonly #endpoint: string
  readonly #region: string | undefined
  readonly #pageKeys: number
  readonly #worker: {
    readonly config: Readonly<Record<string, unknown>>
    readonly secrets: Readonly<Record<string, string>>
  }
  #isClosed = false

  constructor(
    session: GcsSession,
    client: Storage,
    options: {
      /** Without a slash at the end. */
      readonly endpoint: string
      readonly defaultBucket: string
      /** Where buckets are made. */
      readonly region: string | undefined
      /** Keys of one page of a listing. */
      readonly pageKeys: number
      readonly presignsUrls: boolean
      readonly workerConfig: Readonly<Record<string, unknown>>
      readonly workerSecrets: Readonly<Record<string, string>>
    },
  ) {
    this.#session = session
    this.#client = client
    this.#endpoint = options.endpoint
    this.#region = options.region
    this.#pageKeys = options.pageKeys
    this.#worker = { config: options.workerConfig, secrets: options.workerSecrets }
    this.defaultBucket = options.defaultBucket
    this.capabilities = {
      conditionalPut: true,
      presignedUrls: options.presignsUrls,
      maxKeyBytes: MAX_KEY_BYTES,
      keyLimits: KEY_LIMITS,
      startsListings: true,
    }
    if (options.presignsUrls) this.presignUrl = (bucket, key, how) => this.#presign(bucket, key, how)
  }

  putObject(bucket: string, key: string, body: Body, options: PutOptions = {}) {
    const place = this.#keyPlace('put', bucket, key)
    const { ifAbsent = false, contentType = 'application/octet-stream', signal } = options
    return this.#run(place, options, async () => {
      checkKey(place, MAX_KEY_BYTES, KEY_LIMITS)
      try {
        const { generation } = await upload(this.#session, body, {
          place,
          endpoint: this.#endpoint,
          ifAbsent,
          contentType,
          signal,
          isThere: () => this.#isThere(place, options),
        })
        return { created: true, ...etagOf(generation) }
      } catch (error) {
        if (ifAbsent && isTaken(error)) return { created: false }
        throw error
      }
    })
  }

  async getObject(bucket: string, key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { body } = await this.#get(this.#keyPlace('get', bucket, key), options)
    return body === undefined ? new Uint8Array() : body.bytes()
  }

  async getObjectStream(bucket: string, key: string, options: GetOptions = {}) {
    const { head, body } = await this.#get(this.#keyPlace('get', bucket, key), options)
    return { ...head, body: body ?? nothing() }
  }

  headObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<ObjectHead> {
    return this.#head(this.#keyPlace('head', bucket, key), options)
  }

  deleteObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<void> {
    const place = this.#keyPlace('delete', bucket, key)
    return this.#run(place, options, () => this.#delete(place, options))
  }

  /** One request for each key, many at once. */
  async deleteObjects(
    bucket: string,
    keys: readonly string[],
    options: StorageCallOptions = {},
  ): Promise<void> {
    this.#check(this.#place('delete', bucket), options)
    await forEachAtOnce(keys, DELETES_AT_ONCE, key => this.deleteObject(bucket, key, options))
  }

  async *listObjects(
    bucket: string,
    prefix = '',
    options: ListOptions = {},
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    const place = this.#place('list', bucket)
    const query: Record<string, string> = {
      maxResults: String(this.#pageKeys),
      fields: `items(name,${LIST_FIELDS}),nextPageToken`,
    }
    if (prefix !== '') query.prefix = prefix
    const { startAfter } = options
    if (startAfter !== undefined) query.startOffset = startAfter
    while (true) {
      const { data } = await this.#run(place, options, () =>
        this.#ask<{ readonly items?: readonly GcsObject[]; readonly nextPageToken?: string }>(
          'GET',
          `${this.#bucketUrl(bucket)}/o?${new URLSearchParams(query)}`,
          options,
        ),
      )
      for (const object of data.items ?? []) {
        options.signal?.throwIfAborted()
        // the service begins with that key itself
        if (object.name === startAfter) continue
        const { contentType: _, ...entry } = object
        yield { key: object.name ?? '', ...headOf(entry) }
      }
      if (data.nextPageToken === undefined || data.nextPageToken === '') return
      query.pageToken = data.nextPageToken
    }
  }

  /** Of any size; large objects between places or classes of storage take several requests. */
  copyObject(from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) {
    const place = this.#keyPlace('copy', from.bucket, from.key)
    return this.#run(place, options, async () => {
      checkKey({ ...place, ...to }, MAX_KEY_BYTES, KEY_LIMITS)
      if (isImpossible(from.key)) throw objectNotFound(place)
      const target = `${this.#objectUrl(from)}/rewriteTo/b/${encodeURIComponent(to.bucket)}/o/${encodeURIComponent(to.key)}`
      const query: Record<string, string> = { fields: 'done,rewriteToken,resource/generation' }
      while (true) {
        const { data } = await this.#ask<{
          readonly done?: boolean
          readonly rewriteToken?: string
          readonly resource?: GcsObject
        }>('POST', `${target}?${new URLSearchParams(query)}`, options)
        if (data.done !== false || data.rewriteToken === undefined) return etagOf(data.resource?.generation)
        query.rewriteToken = data.rewriteToken
      }
    })
  }

  /** Asks with a right that reading objects needs too; `storage.buckets.get` is not among those of objects. */
  bucketExists(bucket: string, options: StorageCallOptions = {}): Promise<boolean> {
    return this.#run(this.#place('find', bucket), options, () => this.#bucketExists(bucket, options))
  }

  createBucket(bucket: string, options: StorageCallOptions = {}): Promise<void> {
    const place = this.#place('create', bucket)
    return this.#run(place, options, async () => {
      if (this.#region === undefined) {
        throw storageFailed(place, 'gcp_storage.region is needed to make a bucket', { isRetryable: false })
      }
      const project = await this.#project(place)
      const body = Buffer.from(JSON.stringify(bucketSettings(bucket, this.#region)))
      const url = `${this.#endpoint}/storage/v1/b?project=${encodeURIComponent(project)}&fields=name`
      try {
        await this.#ask('POST', url, options, { body, headers: { 'content-type': 'application/json' } })
      } catch (error) {
        if (statusOf(error) !== 409) throw error
        await this.#checkOwn(place, options)
      }
    })
  }

  workerConfig() {
    return this.#worker.config
  }

  workerSecrets() {
    return this.#worker.secrets
  }

  /** The Storage of @google-cloud/storage, with the same credentials and the SDK's own retries and connections. */
  client(): Storage {
    return this.#client
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#session.close()
  }

  /** Head and body; no body where no bytes are asked for, or the range begins beyond the end. */
  async #get(place: KeyPlace, options: GetOptions): Promise<{ head: ObjectHead; body?: StreamBody }> {
    const { start, end } = resolveRange(options.range, Number.MAX_SAFE_INTEGER)
    if (start === end) return { head: await this.#head(place, options) }
    const last = options.range?.end === undefined ? '' : end - 1
    const isPart = start > 0 || last !== ''
    const answer = await this.#run(place, options, async () => {
      if (isImpossible(place.key)) throw objectNotFound(place)
      const query = new URLSearchParams({ alt: 'media', ...conditionsOf(options) })
      return this.#session.open({
        method: 'GET',
        url: `${this.#objectUrl(place)}?${query}`,
        headers: isPart ? { range: `bytes=${start}-${last}` } : {},
        signal: options.signal,
        accepts: [416],
      })
    })
    if (answer.status !== 416) return this.#opened(answer, place, options, start)
    // the range begins at or after the end, or the object is empty
    answer.data.destroy()
    return { head: await this.#head(place, options) }
  }

  #opened(answer: GcsAnswer<Readable>, place: KeyPlace, options: GetOptions, start: number) {
    const { headers, data: source } = answer
    const refuse = (error: unknown) => {
      source.destroy()
      throw error
    }
    const head = headOfAnswer(headers)
    if (options.ifMatch !== undefined && head.etag !== undefined && head.etag !== options.ifMatch) {
      refuse(objectChanged(place))
    }
    if (start > 0 && headers['content-range'] === undefined) {
      refuse(storageFailed(place, 'the service gave no range', { isRetryable: false }))
    }
    const body = new StreamBody(source, {
      place,
      expectedBytes: Number(headers['content-length'] ?? head.sizeBytes),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      translate: error => translate(failureOfConnection(error), place),
    })
    return { head, body }
  }

  #head(place: KeyPlace, options: GetOptions): Promise<ObjectHead> {
    return this.#run(place, options, async () => {
      if (isImpossible(place.key)) throw objectNotFound(place)
      const query = new URLSearchParams({ fields: HEAD_FIELDS, ...conditionsOf(options) })
      const { data } = await this.#ask<GcsObject>('GET', `${this.#objectUrl(place)}?${query}`, options)
      const head = headOf(data)
      if (options.ifMatch !== undefined && head.etag !== options.ifMatch) throw objectChanged(place)
      return head
    })
  }

  async #isThere(place: KeyPlace, options: StorageCallOptions): Promise<boolean> {
    try {
      await this.#ask('GET', `${this.#objectUrl(place)}?fields=generation`, options)
      return true
    } catch (error) {
      return statusOf(error) !== 404
    }
  }

  async #delete(place: KeyPlace, options: StorageCallOptions): Promise<void> {
    if (isImpossible(place.key)) return
    try {
      await this.#ask('DELETE', this.#objectUrl(place), options)
    } catch (error) {
      if (statusOf(error) !== 404 || missing(error) === 'bucket') throw error
      if (missing(error) === 'object') return
      // the service says which of the two is not there, others do not
      if (!(await this.#bucketExists(place.bucket, options))) throw bucketNotFound(place)
    }
  }

  async #bucketExists(bucket: string, options: StorageCallOptions): Promise<boolean> {
    try {
      await this.#ask('GET', `${this.#bucketUrl(bucket)}/o?maxResults=1&fields=kind`, options)
      return true
    } catch (error) {
      if (statusOf(error) === 404) return false
      throw error
    }
  }

  /** The name is taken: by oneself, or by anybody on earth. */
  async #checkOwn(place: StoragePlace, options: StorageCallOptions): Promise<void> {
    try {
      if (await this.#bucketExists(place.bucket, options)) return
    } catch (error) {
      if (statusOf(error) !== 403) throw error
    }
    const reason =
      'somebody else has a bucket of this name, which all users of the service share: choose another storage_bucket'
    throw storageFailed(place, reason, { isRetryable: false })
  }

  async #project(place: StoragePlace): Promise<string> {
    try {
      return await this.#session.auth.getProjectId()
    } catch (error) {
      const { message } = failureOfToken(error)
      const reason = `the project in which to make the bucket is not known (${message}): give project_name`
      throw storageFailed(place, reason, { isRetryable: false })
    }
  }

  #presign(
    bucket: string,
    key: string,
    options: { readonly method: 'GET' | 'PUT'; readonly expiresInMs: number },
  ): Promise<string> {
    const place = this.#keyPlace('presign', bucket, key)
    return this.#run(place, {}, async () => {
      checkKey(place, MAX_KEY_BYTES, KEY_LIMITS)
      return presign(this.#client, place, options)
    })
  }

  #ask<T>(
    method: GcsRequest['method'],
    url: string,
    { signal }: StorageCallOptions,
    more: Pick<GcsRequest, 'body' | 'headers'> = {},
  ): Promise<GcsAnswer<T>> {
    return this.#session.ask<T>({ method, url, signal, ...more })
  }

  async #run<T>(place: StoragePlace, options: StorageCallOptions, work: () => Promise<T>): Promise<T> {
    this.#check(place, options)
    try {
      return await work()
    } catch (error) {
      options.signal?.throwIfAborted()
      throw translate(error, place)
    }
  }

  #check(place: StoragePlace, options: StorageCallOptions): void {
    if (this.#isClosed) throw storageClosed(place)
    options.signal?.throwIfAborted()
  }

  #bucketUrl(bucket: string): string {
    return `${this.#endpoint}/storage/v1/b/${encodeURIComponent(bucket)}`
  }

  #objectUrl({ bucket, key }: ObjectPlace): string {
    return `${this.#bucketUrl(bucket)}/o/${encodeURIComponent(key)}`
  }

  #place(operation: string, bucket: string): StoragePlace {
    return { operation, bucket, region: this.#region ?? new URL(this.#endpoint).host }
  }

  #keyPlace(operation: string, bucket: string, key: string): KeyPlace {
    return { ...this.#place(operation, bucket), key }
  }
}

/** What jobs leave behind for a moment must neither be kept for a week, which is the default and costs, nor be for all. */
function bucketSettings(name: string, location: string) {
  return {
    name,
    location,
    iamConfiguration: {
      uniformBucketLevelAccess: { enabled: true },
      publicAccessPrevention: 'enforced',
    },
    softDeletePolicy: { retentionDurationSeconds: '0' },
  }
}

/** Such a key cannot be there, so it is not asked for. */
function isImpossible(key: string): boolean {
  return key === '' || !isWellFormed(key) || flawOfKey(key, KEY_LIMITS) !== undefined
}

function conditionsOf({ ifMatch }: GetOptions): Record<string, string> {
  return ifMatch === undefined ? {} : { ifGenerationMatch: ifMatch.replaceAll('"', '') }
}

function headOf({ size = '0', generation, updated, contentType }: GcsObject): ObjectHead {
  return {
    sizeBytes: Number(size),
    ...etagOf(generation),
    ...(updated === undefined ? {} : { lastModified: new Date(updated) }),
    ...(contentType === undefined ? {} : { contentType }),
  }
}

function headOfAnswer(headers: Headers): ObjectHead {
  const total = headers['content-range']?.split('/')[1] ?? headers['content-length']
  const { 'x-goog-generation': generation, 'last-modified': updated, 'content-type': contentType } = headers
  return headOf({
    size: total ?? '0',
    ...(generation === undefined ? {} : { generation }),
    ...(updated === undefined ? {} : { updated }),
    ...(contentType === undefined ? {} : { contentType }),
  })
}

function etagOf(generation: string | undefined): { readonly etag?: string } {
  return generation === undefined ? {} : { etag: `"${generation}"` }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
