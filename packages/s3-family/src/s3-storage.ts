import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import {
  type Body,
  checkKey,
  describePlace,
  type GetOptions,
  type ListOptions,
  NotSupportedError,
  type ObjectEntry,
  type ObjectHead,
  type ObjectPlace,
  objectNotFound,
  type PutOptions,
  resolveRange,
  type StorageBackend,
  type StorageCallOptions,
  type StorageCapabilities,
  StorageError,
  type StoragePlace,
  StreamBody,
  storageClosed,
  storageFailed,
} from '@lithops/core/driver'
import { sendContentMd5 } from './content-md5.ts'
import { createBucket } from './create-bucket.ts'
import { batches, copySource, decodeListed, flawOfPath, isInXml } from './keys.ts'
import { presign } from './presign.ts'
import { S3Clients } from './s3-clients.ts'
import { codeOf, deleteFailed, isExpired, isRefusedUndone, statusOf, translate } from './s3-errors.ts'
import { MAX_DELETE_KEYS, MAX_KEY_BYTES, type S3StorageOptions, SINGLE_PUT_BYTES } from './s3-options.ts'
import { bufferOf, upload } from './upload.ts'

const UNDONE_ATTEMPTS = 6
const FIRST_PAUSE_MS = 50

type KeyPlace = StoragePlace & { readonly key: string }
type PutAnswer = { readonly created: boolean; readonly etag?: string }

/** A service that speaks the S3 protocol. What differs between services is said by `options.service`. */
export class S3Storage implements StorageBackend {
  readonly specVersion = 1
  readonly name: string
  readonly defaultBucket: string
  readonly capabilities: StorageCapabilities
  readonly presignUrl?: NonNullable<StorageBackend['presignUrl']>
  readonly costOf?: NonNullable<StorageBackend['costOf']>
  readonly #options: S3StorageOptions
  readonly #clients: S3Clients
  readonly #client: S3Client
  #isClosed = false

  constructor(options: S3StorageOptions) {
    this.name = options.name
    this.defaultBucket = options.defaultBucket
    this.#options = options
    const { presignsUrls, takesChecksums, keysAreFilePaths } = options.service
    this.capabilities = {
      conditionalPut: true,
      presignedUrls: presignsUrls,
      maxKeyBytes: MAX_KEY_BYTES,
      startsListings: true,
      ...(keysAreFilePaths ? { keysAreFilePaths } : {}),
    }
    if (presignsUrls) this.presignUrl = (bucket, key, how) => this.#presign(bucket, key, how)
    if (options.costOf !== undefined) this.costOf = options.costOf
    this.#clients = new S3Clients(options)
    this.#client = this.#clients.single
    if (!takesChecksums) sendContentMd5(this.#client)
  }

  async putObject(bucket: string, key: string, body: Body, options: PutOptions = {}): Promise<PutAnswer> {
    const place = this.#keyPlace('put', bucket, key)
    const { ifAbsent = false, contentType, signal } = options
    const input = {
      Bucket: bucket,
      Key: key,
      ...(contentType === undefined ? {} : { ContentType: contentType }),
      ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
    }
    try {
      this.#check(place, options)
      this.#checkKey(place)
      if (body instanceof Uint8Array && (body.length <= SINGLE_PUT_BYTES || this.#isSingle(ifAbsent))) {
        const put = () => this.#put({ ...input, Body: bufferOf(body) }, signal)
        return await this.#run(place, options, put)
      }
      const translate = (error: unknown) => this.#translate(error, place)
      const { completesConditionally } = this.#options.service
      const how = { place, signal, translate, completesConditionally }
      const { etag } = await upload(this.#clients, input, body, how)
      return { created: true, ...etagOf(etag) }
    } catch (error) {
      if (ifAbsent && isTaken(error)) return { created: false }
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
    return this.#run(this.#keyPlace('delete', bucket, key), options, () =>
      this.#delete(bucket, key, options.signal),
    )
  }

  deleteObjects(bucket: string, keys: readonly string[], options: StorageCallOptions = {}): Promise<void> {
    const place = this.#place('delete', bucket)
    const there = keys.filter(key => this.#flawOf(key) === undefined)
    return this.#run(place, options, async () => {
      for (const batch of batches(there.filter(isInXml), MAX_DELETE_KEYS)) {
        const Delete = { Objects: batch.map(Key => ({ Key })), Quiet: true }
        const answer = await this.#client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }), {
          abortSignal: options.signal,
        })
        const failed = answer.Errors?.find(error => error.Code !== 'NoSuchKey')
        if (failed !== undefined) throw deleteFailed(failed, place)
      }
      for (const key of there) if (!isInXml(key)) await this.#delete(bucket, key, options.signal)
    })
  }

  async *listObjects(
    bucket: string,
    prefix = '',
    options: ListOptions = {},
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    const place = this.#place('list', bucket)
    let ContinuationToken: string | undefined
    do {
      const page = await this.#run(place, options, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            // XML cannot hold every key
            EncodingType: 'url',
            ...(ContinuationToken === undefined ? { StartAfter: options.startAfter } : { ContinuationToken }),
          }),
          { abortSignal: options.signal },
        ),
      )
      for (const { Key = '', Size = 0, ETag, LastModified } of page.Contents ?? []) {
        options.signal?.throwIfAborted()
        yield { key: decodeListed(Key), ...headOf(Size, ETag, LastModified) }
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  /** Copies of up to 5 GiB; NotSupportedError for larger ones. */
  copyObject(from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) {
    const place = this.#keyPlace('copy', from.bucket, from.key)
    return this.#run(place, options, async () => {
      this.#checkKey({ ...place, ...to })
      // S3 refuses to copy an object onto itself
      if (from.bucket === to.bucket && from.key === to.key) return this.#head(place, options)
      const CopySource = copySource(from.bucket, from.key)
      const command = new CopyObjectCommand({ Bucket: to.bucket, Key: to.key, CopySource })
      const { CopyObjectResult } = await this.#client
        .send(command, { abortSignal: options.signal })
        .catch(error => {
          if (/larger than the maximum allowable size/.test(String((error as Error).message))) {
            throw new NotSupportedError(`${this.name} copies objects of up to 5 GiB`, {
              details: { ...place },
            })
          }
          throw error
        })
      return etagOf(CopyObjectResult?.ETag)
    })
  }

  bucketExists(bucket: string, options: StorageCallOptions = {}): Promise<boolean> {
    return this.#run(this.#place('find', bucket), options, async () => {
      try {
        await this.#client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: options.signal })
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw error
      }
    })
  }

  createBucket(bucket: string, options: StorageCallOptions = {}): Promise<void> {
    const { service, log } = this.#options
    return this.#run(this.#place('create', bucket), options, () =>
      createBucket(this.#client, bucket, { service, log, signal: options.signal }),
    )
  }

  workerConfig() {
    return this.#options.workerConfig
  }

  workerSecrets() {
    return this.#options.workerSecrets
  }

  /** The S3Client of @aws-sdk/client-s3. It tries every request once. */
  client(): S3Client {
    return this.#client
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#clients.close()
  }

  /** One request. With `ifAbsent` core does not repeat it, so what was refused undone is repeated here. */
  async #put(input: PutObjectCommandInput, signal: AbortSignal | undefined): Promise<PutAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { ETag } = await this.#client.send(new PutObjectCommand(input), { abortSignal: signal })
        return { created: true, ...etagOf(ETag) }
      } catch (error) {
        const isRepeatable = input.IfNoneMatch !== undefined && isRefusedUndone(error)
        if (!isRepeatable || attempt === UNDONE_ATTEMPTS) throw error
        await sleep(Math.random() * FIRST_PAUSE_MS * 2 ** attempt, undefined, { signal })
      }
    }
  }

  /** Head and body; no body where no bytes are asked for, or the range begins beyond the end. */
  async #get(place: KeyPlace, options: GetOptions): Promise<{ head: ObjectHead; body?: StreamBody }> {
    const { start, end } = resolveRange(options.range, Number.MAX_SAFE_INTEGER)
    if (start === end) return { head: await this.#head(place, options) }
    const Range =
      options.range === undefined
        ? undefined
        : `bytes=${start}-${options.range.end === undefined ? '' : end - 1}`
    const answer = await this.#run(place, options, async () => {
      if (this.#flawOf(place.key) !== undefined) throw objectNotFound(place)
      const command = new GetObjectCommand({ ...inputOf(place), Range, IfMatch: options.ifMatch })
      try {
        return await this.#client.send(command, { abortSignal: options.signal })
      } catch (error) {
        if (statusOf(error) === 416) return undefined
        throw error
      }
    })
    // the range begins at or after the end, or the object is empty
    if (answer === undefined) return { head: await this.#head(place, options) }
    return this.#opened(answer, place, options)
  }

  #opened(answer: GetObjectCommandOutput, place: KeyPlace, options: GetOptions) {
    const source = answer.Body as unknown as Readable
    const expectedBytes = answer.ContentLength ?? 0
    if (options.range !== undefined && answer.ContentRange === undefined) {
      source.destroy()
      throw storageFailed(place, 'the service gave no range', { isRetryable: false })
    }
    const total = Number(answer.ContentRange?.split('/')[1] ?? expectedBytes)
    const body = new StreamBody(source, {
      place,
      expectedBytes,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      translate: error => this.#translate(error, place),
    })
    return { head: headOf(total, answer.ETag, answer.LastModified, answer.ContentType), body }
  }

  #head(place: KeyPlace, options: GetOptions): Promise<ObjectHead> {
    return this.#run(place, options, async () => {
      if (this.#flawOf(place.key) !== undefined) throw objectNotFound(place)
      const command = new HeadObjectCommand({ ...inputOf(place), IfMatch: options.ifMatch })
      const {
        ContentLength = 0,
        ETag,
        LastModified,
        ContentType,
      } = await this.#client.send(command, { abortSignal: options.signal })
      return headOf(ContentLength, ETag, LastModified, ContentType)
    })
  }

  async #delete(bucket: string, key: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#flawOf(key) !== undefined) return
    try {
      await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal })
    } catch (error) {
      if (codeOf(error) !== 'NoSuchKey') throw error
    }
  }

  #presign(
    bucket: string,
    key: string,
    options: { readonly method: 'GET' | 'PUT'; readonly expiresInMs: number },
  ): Promise<string> {
    const place = this.#keyPlace('presign', bucket, key)
    return this.#run(place, {}, async () => {
      this.#checkKey(place)
      return presign(this.#clients.presigner, place, options)
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

  #checkKey(place: KeyPlace): void {
    checkKey(place, MAX_KEY_BYTES)
    const flaw = this.#flawOf(place.key)
    if (flaw === undefined) return
    throw new StorageError(`${describePlace(place)}: ${flaw}; ${this.name} keeps keys as paths of files`, {
      code: 'LITHOPS_STORAGE_KEY',
      details: { ...place },
    })
  }

  #isSingle(ifAbsent: boolean): boolean {
    return ifAbsent && !this.#options.service.completesConditionally
  }

  /** Why the service cannot have such a key. */
  #flawOf(key: string): string | undefined {
    return this.capabilities.keysAreFilePaths ? flawOfPath(key) : undefined
  }

  #check(place: StoragePlace, options: StorageCallOptions): void {
    if (this.#isClosed) throw storageClosed(place)
    options.signal?.throwIfAborted()
  }

  #translate(error: unknown, place: StoragePlace): unknown {
    if (isExpired(error) && this.#options.service.renewCredentials?.()) {
      return storageFailed(place, 'the token has expired; a new one is fetched', { isRetryable: true })
    }
    return translate(error, place)
  }

  #place(operation: string, bucket: string): StoragePlace {
    return { operation, bucket, region: this.#options.region }
  }

  #keyPlace(operation: string, bucket: string, key: string): KeyPlace {
    return { operation, bucket, key, region: this.#options.region }
  }
}

function inputOf(place: KeyPlace): { readonly Bucket: string; readonly Key: string } {
  return { Bucket: place.bucket, Key: place.key }
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

/** In quotes, as If-Match wants it: Ceph answers a copy without them, and a completed upload with an empty text. */
function etagOf(etag: string | undefined): { readonly etag?: string } {
  if (etag === undefined || etag === '') return {}
  return { etag: etag.endsWith('"') ? etag : `"${etag}"` }
}

/** A rival has written the object first. */
function isTaken(error: unknown): boolean {
  return (
    statusOf(error) === 412 || (StorageError.isInstance(error) && error.code === 'LITHOPS_OBJECT_CHANGED')
  )
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
