import type { Readable } from 'node:stream'
import type { BlobDownloadResponseParsed, BlobServiceClient, ContainerClient } from '@azure/storage-blob'
import {
  accessRefused,
  type Body,
  checkKey,
  flawOfKey,
  forEachAtOnce,
  type GetOptions,
  inByteOrder,
  type ListOptions,
  NotSupportedError,
  type ObjectEntry,
  type ObjectHead,
  type ObjectPlace,
  objectNotFound,
  type PutOptions,
  resolveRange,
  StorageAccessError,
  type StorageBackend,
  type StorageCallOptions,
  type StoragePlace,
  StreamBody,
  storageClosed,
  storageFailed,
} from '@lithops/core/driver'
import type { AzureClients } from './azure-clients.ts'
import { codeOf, statusOf, translate } from './azure-errors.ts'
import { DELETES_AT_ONCE, KEY_LIMITS, MAX_COPY_BYTES, MAX_KEY_BYTES } from './limits.ts'
import { presign, signedSource } from './signed-urls.ts'
import { upload } from './upload.ts'

type KeyPlace = StoragePlace & { readonly key: string }

/** Azure Blob Storage. A bucket is a container, an object a block blob. */
export class AzureBlobStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name = 'azure_storage'
  readonly defaultBucket: string
  readonly capabilities: StorageBackend['capabilities']
  readonly presignUrl?: NonNullable<StorageBackend['presignUrl']>
  readonly #clients: AzureClients
  readonly #worker: {
    readonly config: Readonly<Record<string, unknown>>
    readonly secrets: Readonly<Record<string, string>>
  }
  readonly #host: string
  readonly #pageKeys: number
  #isClosed = false

  constructor(
    clients: AzureClients,
    options: {
      readonly defaultBucket: string
      /** Keys of one page of a listing. */
      readonly pageKeys: number
      /** URLs can be signed: with a key, or by an identity that may ask for one. A token cannot sign another. */
      readonly presignsUrls: boolean
      readonly workerConfig: Readonly<Record<string, unknown>>
      readonly workerSecrets: Readonly<Record<string, string>>
    },
  ) {
    this.#clients = clients
    this.defaultBucket = options.defaultBucket
    this.#worker = { config: options.workerConfig, secrets: options.workerSecrets }
    this.#pageKeys = options.pageKeys
    this.#host = new URL(clients.single.url).host
    this.capabilities = {
      conditionalPut: true,
      presignedUrls: options.presignsUrls,
      maxKeyBytes: MAX_KEY_BYTES,
      keyLimits: KEY_LIMITS,
    }
    if (options.presignsUrls) this.presignUrl = (bucket, key, how) => this.#presign(bucket, key, how)
  }

  async putObject(bucket: string, key: string, body: Body, options: PutOptions = {}) {
    const place = this.#keyPlace('put', bucket, key)
    const { ifAbsent = false, contentType, sizeBytes, signal } = options
    this.#check(place, options)
    checkKey(place, MAX_KEY_BYTES, KEY_LIMITS)
    try {
      const targets = {
        single: this.#container(bucket).getBlockBlobClient(key),
        blocks: this.#clients.blocks.getContainerClient(bucket).getBlockBlobClient(key),
      }
      const answer = await upload(targets, body, {
        place,
        signal,
        contentType,
        ifAbsent,
        sizeBytes,
        translate: error => (ifAbsent && isTaken(error) ? new TakenError() : this.#translate(error, place)),
      })
      return { created: true, ...etagOf(answer.etag) }
    } catch (error) {
      if (error instanceof TakenError) return { created: false }
      throw error
    }
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

  /** One request for each key, many at once. The service's own batches cost and count as much. */
  async deleteObjects(
    bucket: string,
    keys: readonly string[],
    options: StorageCallOptions = {},
  ): Promise<void> {
    this.#check(this.#place('delete', bucket), options)
    await forEachAtOnce(keys, DELETES_AT_ONCE, key => this.deleteObject(bucket, key, options))
  }

  listObjects(
    bucket: string,
    prefix = '',
    options: ListOptions = {},
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    return inByteOrder(this.#list(bucket, prefix, options))
  }

  /** Copies of up to 256 MiB, at once; NotSupportedError for larger ones. */
  copyObject(from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) {
    const place = this.#keyPlace('copy', from.bucket, from.key)
    return this.#run(place, options, async () => {
      checkKey({ ...place, ...to }, MAX_KEY_BYTES, KEY_LIMITS)
      const { sizeBytes, etag } = await this.#head(place, options)
      if (sizeBytes > MAX_COPY_BYTES) {
        throw new NotSupportedError(`${this.name} copies objects of up to ${MAX_COPY_BYTES} bytes`, {
          details: { ...place },
        })
      }
      const source = await signedSource(this.#clients.single, this.#blob(place))
      const answer = await this.#blob({ ...place, ...to }).syncCopyFromURL(source.url, {
        ...(etag === undefined ? {} : { sourceConditions: { ifMatch: etag } }),
        ...(source.authorization === undefined ? {} : { sourceAuthorization: source.authorization }),
        ...signalOf(options),
      })
      return etagOf(answer.etag)
    })
  }

  bucketExists(bucket: string, options: StorageCallOptions = {}): Promise<boolean> {
    return this.#run(this.#place('find', bucket), options, async () => {
      try {
        await this.#container(bucket).getProperties(signalOf(options))
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw error
      }
    })
  }

  createBucket(bucket: string, options: StorageCallOptions = {}): Promise<void> {
    return this.#run(this.#place('create', bucket), options, async () => {
      try {
        await this.#container(bucket).create(signalOf(options))
      } catch (error) {
        if (codeOf(error) !== 'ContainerAlreadyExists') throw error
      }
    })
  }

  workerConfig() {
    return this.#worker.config
  }

  workerSecrets() {
    return this.#worker.secrets
  }

  /** The BlobServiceClient of @azure/storage-blob. It tries every request once. */
  client(): BlobServiceClient {
    return this.#clients.single
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#clients.close()
  }

  async *#list(bucket: string, prefix: string, options: ListOptions) {
    const place = this.#place('list', bucket)
    this.#check(place, options)
    const pages = this.#container(bucket)
      .listBlobsFlat({ ...(prefix === '' ? {} : { prefix }), ...signalOf(options) })
      .byPage({ maxPageSize: this.#pageKeys })
    while (true) {
      const { value: page, done } = await this.#run(place, options, () => pages.next())
      if (done) return
      for (const { name, properties } of page.segment.blobItems) {
        options.signal?.throwIfAborted()
        const { contentLength = 0, etag, lastModified } = properties
        yield { key: name, ...headOf(contentLength, etag, lastModified) } satisfies ObjectEntry
      }
    }
  }

  /** Head and body; no body where no bytes are asked for, or the range begins beyond the end. */
  async #get(place: KeyPlace, options: GetOptions): Promise<{ head: ObjectHead; body?: StreamBody }> {
    const { start, end } = resolveRange(options.range, Number.MAX_SAFE_INTEGER)
    if (start === end) return { head: await this.#head(place, options) }
    const count = options.range?.end === undefined ? undefined : end - start
    const answer = await this.#run(place, options, async () => {
      if (isImpossible(place.key)) throw objectNotFound(place)
      try {
        return await this.#blob(place).download(start, count, {
          ...conditionsOf(options),
          ...signalOf(options),
          // core reads on where a connection broke
          maxRetryRequests: 0,
        })
      } catch (error) {
        if (statusOf(error) === 416) return undefined
        throw error
      }
    })
    // the range begins at or after the end, or the object is empty
    if (answer === undefined) return { head: await this.#head(place, options) }
    return this.#opened(answer, place, options)
  }

  #opened(answer: BlobDownloadResponseParsed, place: KeyPlace, options: GetOptions) {
    const source = answer.readableStreamBody as unknown as Readable
    const expectedBytes = answer.contentLength ?? 0
    const isPart = options.range !== undefined && options.range.start > 0
    if (isPart && answer.contentRange === undefined) {
      source.destroy()
      throw storageFailed(place, 'the service gave no range', { isRetryable: false })
    }
    const total = Number(answer.contentRange?.split('/')[1] ?? expectedBytes)
    const body = new StreamBody(source, {
      place,
      expectedBytes,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      translate: error => this.#translate(error, place),
    })
    return { head: headOf(total, answer.etag, answer.lastModified, answer.contentType), body }
  }

  #head(place: KeyPlace, options: GetOptions): Promise<ObjectHead> {
    return this.#run(place, options, async () => {
      if (isImpossible(place.key)) throw objectNotFound(place)
      const {
        contentLength = 0,
        etag,
        lastModified,
        contentType,
      } = await this.#blob(place).getProperties({ ...conditionsOf(options), ...signalOf(options) })
      return headOf(contentLength, etag, lastModified, contentType)
    })
  }

  async #delete(place: KeyPlace, options: StorageCallOptions): Promise<void> {
    if (isImpossible(place.key)) return
    try {
      // its snapshots go with it: the service refuses to remove it before them
      await this.#blob(place).delete({ deleteSnapshots: 'include', ...signalOf(options) })
    } catch (error) {
      if (codeOf(error) !== 'BlobNotFound') throw error
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
      return presign(this.#clients.single, this.#blob(place), place, options)
    })
  }

  async #run<T>(place: StoragePlace, options: StorageCallOptions, work: () => Promise<T>): Promise<T> {
    this.#check(place, options)
    try {
      return await work()
    } catch (error) {
      options.signal?.throwIfAborted()
      throw this.#translate(error, place)
    }
  }

  #check(place: StoragePlace, options: StorageCallOptions): void {
    if (this.#isClosed) throw storageClosed(place)
    options.signal?.throwIfAborted()
  }

  /** The service does not always say of a signature that it is refused for its age. */
  #translate(error: unknown, place: StoragePlace): unknown {
    const translated = translate(error, place)
    const expiry = new URL(this.#clients.single.url).searchParams.get('se')
    if (!StorageAccessError.isInstance(translated) || expiry === null || Date.parse(expiry) > Date.now()) {
      return translated
    }
    const advice = `the shared access signature has expired (${expiry}): get a new one`
    return accessRefused(place, advice, translated.cause)
  }

  #container(bucket: string): ContainerClient {
    return this.#clients.single.getContainerClient(bucket)
  }

  #blob({ bucket, key }: KeyPlace) {
    return this.#container(bucket).getBlobClient(key)
  }

  #place(operation: string, bucket: string): StoragePlace {
    return { operation, bucket, region: this.#host }
  }

  #keyPlace(operation: string, bucket: string, key: string): KeyPlace {
    return { operation, bucket, key, region: this.#host }
  }
}

/** The object of a write with `ifAbsent` is there already. */
class TakenError extends Error {}

function isTaken(error: unknown): boolean {
  return statusOf(error) === 412 || codeOf(error) === 'BlobAlreadyExists'
}

/** Such a key cannot be there, so it is not asked for: another one might be found in its place. */
function isImpossible(key: string): boolean {
  return key === '' || flawOfKey(key, KEY_LIMITS) !== undefined
}

function conditionsOf({ ifMatch }: GetOptions) {
  return ifMatch === undefined ? {} : { conditions: { ifMatch } }
}

function signalOf({ signal }: StorageCallOptions) {
  return signal === undefined ? {} : { abortSignal: signal }
}

function headOf(
  sizeBytes: number,
  etag: string | undefined,
  lastModified: Date | undefined,
  contentType?: string,
): ObjectHead {
  return {
    sizeBytes,
    ...etagOf(etag),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(contentType === undefined ? {} : { contentType }),
  }
}

/** In quotes, as If-Match wants it: listings have them without. */
function etagOf(etag: string | undefined): { readonly etag?: string } {
  if (etag === undefined || etag === '') return {}
  return { etag: etag.startsWith('"') ? etag : `"${etag}"` }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
