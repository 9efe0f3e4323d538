import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ensureAsyncDispose } from '../async-dispose.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { compareKeys } from '../storage/key-order.ts'
import { collect, eventually, type KitCase, patternBytes, type TestFunction } from './kit.ts'

export interface StorageTiming {
  /** How long a written or removed key may take to show in a listing. Default: 0, a listing is up to date. */
  readonly listDelayMs?: number
  /** How many keys fill several pages of a listing. Default: 2,100; pages of most services have 1,000. */
  readonly manyKeys?: number
  /** How many requests the kit makes at once when it fills a bucket. Default: 32. */
  readonly requestsAtOnce?: number
}

export interface StorageConformanceOptions {
  readonly test: TestFunction
  /** Makes a backend; each case asks for one and closes it. They may share what they store. */
  readonly createBackend: () => StorageBackend | Promise<StorageBackend>
  /** The bucket to work in; created when it is not there. Each case uses a prefix of its own and empties it. */
  readonly bucket?: string
  readonly timing?: StorageTiming
}

/** What a case has: the backend, and names of its own. */
export class StorageContext implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  readonly backend: StorageBackend
  readonly bucket: string
  readonly prefix = `conformance/${randomUUID()}/`
  readonly timing: Required<StorageTiming>
  readonly #cleaner: StorageBackend

  constructor(
    backend: StorageBackend,
    cleaner: StorageBackend,
    options: { readonly bucket: string; readonly timing: Required<StorageTiming> },
  ) {
    this.backend = backend
    this.#cleaner = cleaner
    this.bucket = options.bucket
    this.timing = options.timing
  }

  put(key: string, body: Uint8Array = patternBytes(3)) {
    return this.backend.putObject(this.bucket, this.prefix + key, body)
  }

  get(key: string, start?: number, end?: number) {
    const range = start === undefined ? undefined : { start, ...(end === undefined ? {} : { end }) }
    return this.backend.getObject(this.bucket, this.prefix + key, range === undefined ? {} : { range })
  }

  /** Keys below the case's prefix, without it. */
  async list(prefix = ''): Promise<string[]> {
    const entries = await collect(this.backend.listObjects(this.bucket, this.prefix + prefix))
    return entries.map(entry => entry.key.slice(this.prefix.length))
  }

  /** Asserts what a listing has, waiting as long as the service may need. */
  async lists(expected: readonly string[], prefix = ''): Promise<void> {
    const sorted = [...expected].sort(compareKeys)
    let actual: string[] = []
    await eventually(
      async () => {
        actual = await this.list(prefix)
        return JSON.stringify(actual) === JSON.stringify(sorted) ? true : undefined
      },
      this.timing.listDelayMs,
      `listing with prefix ${JSON.stringify(prefix)}`,
    ).catch(error => {
      assert.deepEqual(actual, sorted, `listing with prefix ${JSON.stringify(prefix)}`)
      throw error
    })
  }

  /** Removes what the case left, through a backend of its own: the case may have closed its backend. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const keys: string[] = []
      for await (const entry of this.#cleaner.listObjects(this.bucket, this.prefix)) keys.push(entry.key)
      if (keys.length > 0) await this.#cleaner.deleteObjects(this.bucket, keys)
    } finally {
      await this.#cleaner.close()
      await this.backend.close()
    }
  }
}

export type StorageCase = KitCase<StorageBackend, StorageContext>
