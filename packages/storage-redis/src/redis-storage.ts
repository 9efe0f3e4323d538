import { randomUUID } from 'node:crypto'
import {
  type Body,
  blocksOf,
  bucketNotFound,
  checkKey,
  type GetOptions,
  type ListOptions,
  NotSupportedError,
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
  storageClosed,
  storageFailed,
} from '@lithops/core/driver'
import { MAX_COPY_BYTES, MAX_KEY_BYTES, PAGE_KEYS, PART_BYTES } from './limits.ts'
import type { Argument, RedisConnection, Reply } from './redis-connection.ts'
import { translate } from './redis-errors.ts'
import { bucketKey, partKey, type Script } from './scripts.ts'
import { uploadParts } from './upload.ts'

type KeyPlace = StoragePlace & { readonly key: string }

/** An object's version, and its first bytes. */
interface Opened {
  readonly head: ObjectHead
  readonly version: string
  readonly start: number
  readonly end: number
  readonly first: Uint8Array
}

/** How often a whole object that is replaced while it is read is begun again. */
const READ_ATTEMPTS = 5

/** Objects in a Redis server; see scripts.ts for how they lie there. */
export class RedisStorage implements StorageBackend {
  readonly specVersion = 1
  readonly name = 'redis'
  readonly capabilities = {
    conditionalPut: true,
    presignedUrls: false,
    maxKeyBytes: MAX_KEY_BYTES,
    startsListings: true,
  }
  readonly defaultBucket: string
  readonly #connection: RedisConnection
  readonly #options: {
    readonly host: string
    readonly workerConfig: Readonly<Record<string, unknown>>
    readonly workerSecrets: Readonly<Record<string, string>>
  }
  #isClosed = false

  constructor(
    connection: RedisConnection,
    options: {
      /** What errors name as the place of the server. */
      readonly host: string
      readonly defaultBucket?: string
      readonly workerConfig: Readonly<Record<string, unknown>>
      readonly workerSecrets: Readonly<Record<string, string>>
    },
  ) {
    this.#connection = connection
    this.#options = options
    // From: Lithops
    this.defaultBucket = options.defaultBucket ?? 'storage'
  }

  async putObject(bucket: string, key: string, body: Body, options: PutOptions = {}) {
    const place = this.#place('put', bucket, key)
    this.#check(place, options)
    checkKey(place, MAX_KEY_BYTES)
    const { ifAbsent = false, contentType = '', signal } = options
    const version = randomUUID()
    const commit = async (size: number, parts: number, bytes?: Uint8Array) => {
      const about = [key, version, size, parts, Date.now(), contentType, ifAbsent ? 1 : 0]
      const answer = await this.#run(
        'commit',
        place,
        [...about, ...(bytes === undefined ? [] : [bytes])],
        options,
      )
      if (answer === 1) return { created: true, etag: etagOf(version) }
      if (answer === 0) return { created: false }
      throw storageFailed(place, 'parts of the object were gone before it was whole', { isRetryable: false })
    }
    if (body instanceof Uint8Array && body.length <= PART_BYTES) return commit(body.length, 1, body)
    const blocks = blocksOf(body instanceof Uint8Array ? onePiece(body) : body, PART_BYTES, {
      place,
      ...(signal === undefined ? {} : { signal }),
    })
    const first = await blocks.next()
    const second = first.done ? first : await blocks.next()
    if (second.done) {
      const bytes = first.done ? new Uint8Array() : first.value
      return commit(bytes.length, 1, bytes)
    }
    return uploadParts(
      { first: [first.value as Uint8Array, second.value], rest: blocks },
      {
        write: (part, bytes, seconds) =>
          this.#guard(place, options, () =>
            this.#connection.command('SET', partKey(bucket, version, part), bytes, 'EX', seconds),
          ),
        remove: parts =>
          this.#connection.command('UNLINK', ...parts.map(part => partKey(bucket, version, part))),
        commit,
      },
    )
  }

  async getObject(bucket: string, key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const place = this.#place('get', bucket, key)
    for (let attempt = 1; ; attempt++) {
      const opened = await this.#open(place, options)
      const bytes = new Uint8Array(opened.end - opened.start)
      let filled = 0
      try {
        for await (const piece of this.#pieces(place, opened, options)) {
          bytes.set(piece, filled)
          filled += piece.length
        }
        return bytes
      } catch (error) {
        // replaced in the middle: the new one will do as well
        const isReplaced = (error as { code?: unknown }).code === 'LITHOPS_OBJECT_CHANGED'
        if (!isReplaced || options.ifMatch !== undefined) throw error
        if (attempt < READ_ATTEMPTS) continue
        throw storageFailed(place, 'the object is replaced again and again while it is read', {
          isRetryable: true,
        })
      }
    }
  }

  async getObjectStream(bucket: string, key: string, options: GetOptions = {}) {
    const place = this.#place('get', bucket, key)
    const opened = await this.#open(place, options)
    return { ...opened.head, body: this.#pieces(place, opened, options) }
  }

  async headObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<ObjectHead> {
    return (await this.#read(this.#place('head', bucket, key), { start: 0, end: 0 }, options)).head
  }

  async deleteObject(bucket: string, key: string, options: StorageCallOptions = {}): Promise<void> {
    await this.#run('remove', this.#place('delete', bucket, key), [key], options)
  }

  async deleteObjects(bucket: string, keys: readonly string[], options: StorageCallOptions = {}) {
    const place = this.#place('delete', bucket)
    this.#check(place, options)
    for (let at = 0; at < keys.length; at += PAGE_KEYS) {
      await this.#run('remove', place, keys.slice(at, at + PAGE_KEYS), options)
    }
  }

  async *listObjects(
    bucket: string,
    prefix = '',
    options: ListOptions = {},
  ): AsyncGenerator<ObjectEntry, void, undefined> {
    const place = this.#place('list', bucket)
    const after = (key: string) => Buffer.concat([Buffer.from('('), Buffer.from(key)])
    const { startAfter = '' } = options
    const beginsLater = startAfter !== '' && Buffer.compare(Buffer.from(startAfter), Buffer.from(prefix)) >= 0
    let from = beginsLater ? after(startAfter) : Buffer.from(prefix === '' ? '-' : `[${prefix}`)
    // no byte of UTF-8 is so high
    const to = prefix === '' ? '+' : Buffer.concat([after(prefix), Buffer.from([0xff])])
    for (;;) {
      const entries = (await this.#run('list', place, [from, to, PAGE_KEYS], options)) as readonly [
        Buffer,
        readonly Buffer[],
      ][]
      for (const [name, [version, size, at]] of entries) {
        options.signal?.throwIfAborted()
        yield { key: name.toString(), ...headOf(version, size, at) }
      }
      const last = entries.at(-1)
      if (last === undefined || entries.length < PAGE_KEYS) return
      from = Buffer.concat([Buffer.from('('), last[0]])
    }
  }

  /** Within a bucket, objects of up to 64 MiB; NotSupportedError for others. */
  async copyObject(from: ObjectPlace, to: ObjectPlace, options: StorageCallOptions = {}) {
    const place = this.#place('copy', from.bucket, from.key)
    this.#check(place, options)
    checkKey({ ...place, ...to }, MAX_KEY_BYTES)
    const refuse = (why: string) => new NotSupportedError(`redis copies ${why}`, { details: { ...place } })
    if (from.bucket !== to.bucket) throw refuse('within a bucket')
    if (from.key === to.key) return etagOnly(await this.#read(place, { start: 0, end: 0 }, options))
    const version = randomUUID()
    const args = [from.key, to.key, version, Date.now(), MAX_COPY_BYTES]
    const answer = await this.#run('copy', place, args, options).catch(error => {
      // COPY came with Redis 6.2
      if (/unknown.*command/i.test((error as Error).message)) throw refuse('with Redis 6.2 or newer')
      throw error
    })
    if (answer === null) throw objectNotFound(place)
    if (answer !== 1) throw refuse(`objects of up to ${MAX_COPY_BYTES} bytes`)
    return { etag: etagOf(version) }
  }

  async bucketExists(bucket: string, options: StorageCallOptions = {}): Promise<boolean> {
    const place = this.#place('find', bucket)
    const answer = await this.#guard(place, options, () =>
      this.#connection.command('EXISTS', bucketKey(bucket)),
    )
    return answer === 1
  }

  async createBucket(bucket: string, options: StorageCallOptions = {}): Promise<void> {
    const place = this.#place('create', bucket)
    await this.#guard(place, options, () => this.#connection.command('SET', bucketKey(bucket), 1))
  }

  /** Servers are billed by their time, where they are billed at all. */
  costOf(): number {
    return 0
  }

  workerConfig() {
    return this.#options.workerConfig
  }

  workerSecrets() {
    return this.#options.workerSecrets
  }

  /** The Redis client of ioredis. It sends every command once. */
  client() {
    return this.#connection.client
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#connection.close()
  }

  #open(place: KeyPlace, options: GetOptions): Promise<Opened> {
    return this.#read(place, resolveRange(options.range, Number.MAX_SAFE_INTEGER), options)
  }

  async #read(
    place: KeyPlace,
    range: { readonly start: number; readonly end: number },
    options: GetOptions,
  ): Promise<Opened> {
    const args = [place.key, range.start, range.end, PART_BYTES]
    const answer = (await this.#run('read', place, args, options)) as readonly Buffer[] | null
    if (answer === null) throw objectNotFound(place)
    const [version, size, , at, type, first = new Uint8Array()] = answer
    const contentType = String(type ?? '')
    const head = { ...headOf(version, size, at), ...(contentType === '' ? {} : { contentType }) }
    if (options.ifMatch !== undefined && options.ifMatch !== head.etag) throw objectChanged(place)
    const start = Math.min(range.start, head.sizeBytes)
    const end = Math.max(start, Math.min(range.end, head.sizeBytes))
    return { head, version: String(version), start, end, first }
  }

  async *#pieces(
    place: KeyPlace,
    { version, start, end, first }: Opened,
    options: StorageCallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (start < end && first.length === 0) throw gone(place)
    if (first.length > 0) yield first
    for (let at = start + first.length; at < end; ) {
      const part = Math.floor(at / PART_BYTES)
      const begin = part * PART_BYTES
      const stop = Math.min(end - begin, PART_BYTES)
      const piece = (await this.#guard(place, options, () =>
        this.#connection.command('GETRANGE', partKey(place.bucket, version, part), at - begin, stop - 1),
      )) as Buffer
      if (piece.length === 0) throw objectChanged(place)
      at += piece.length
      yield piece
    }
  }

  async #run(
    script: Script,
    place: StoragePlace,
    args: readonly Argument[],
    options: StorageCallOptions,
  ): Promise<Reply> {
    const answer = await this.#guard(place, options, () =>
      this.#connection.run(script, [bucketKey(place.bucket)], args),
    )
    const word = Buffer.isBuffer(answer) ? answer.toString() : answer
    if (word === 'no bucket') throw bucketNotFound(place)
    return answer
  }

  /** An abort comes at once; a command that was sent cannot be taken back. */
  async #guard<T>(place: StoragePlace, options: StorageCallOptions, work: () => Promise<T>): Promise<T> {
    this.#check(place, options)
    const { signal } = options
    let stop = () => {}
    const aborted = new Promise<never>((_resolve, reject) => {
      stop = () => reject(signal?.reason)
      signal?.addEventListener('abort', stop, { once: true })
    })
    aborted.catch(() => {})
    try {
      return await Promise.race([work(), aborted])
    } catch (error) {
      signal?.throwIfAborted()
      throw this.#isClosed ? storageClosed(place) : translate(error, place)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  #check(place: StoragePlace, options: StorageCallOptions): void {
    if (this.#isClosed) throw storageClosed(place)
    options.signal?.throwIfAborted()
  }

  #place(operation: string, bucket: string): StoragePlace
  #place(operation: string, bucket: string, key: string): KeyPlace
  #place(operation: string, bucket: string, key?: string): StoragePlace {
    const region = this.#options.host
    return key === undefined ? { operation, bucket, region } : { operation, bucket, key, region }
  }
}

/** What is known of the object is there, and its bytes are not. */
function gone(place: KeyPlace): Error {
  const why =
    "the object's bytes are gone: the server removes what it has no memory for; set maxmemory-policy noeviction"
  return storageFailed(place, why, { isRetryable: false })
}

function headOf(version: Buffer | undefined, size: Buffer | undefined, at: Buffer | undefined) {
  return {
    sizeBytes: Number(size),
    etag: etagOf(String(version)),
    lastModified: new Date(Number(at)),
  }
}

function etagOf(version: string): string {
  return `"${version}"`
}

function etagOnly({ head: { etag } }: Opened): { readonly etag?: string } {
  return etag === undefined ? {} : { etag }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
