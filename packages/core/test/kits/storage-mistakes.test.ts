/** Small deliberate mistakes of storages, each of which must fail the case named for it. */
import { describe, test } from 'vitest'
import type {
  Body,
  GetOptions,
  ListOptions,
  ObjectPlace,
  PutOptions,
  StorageCallOptions,
} from '../../src/driver/storage-backend.ts'
import { MemoryStorage, storageConformance } from '../../src/testing/index.ts'
import { mustFail } from './harness.ts'

const mistakes: Record<string, { readonly fails: string; readonly Storage: new () => MemoryStorage }> = {
  'misses what it should remove': {
    fails: 'removes objects, and what is not there without an error',
    Storage: class extends MemoryStorage {
      override async deleteObject(bucket: string, key: string, options?: StorageCallOptions) {
        await this.headObject(bucket, key)
        return super.deleteObject(bucket, key, options)
      }
    },
  },
  'cannot list nothing': {
    fails: 'lists nothing where nothing is',
    Storage: class extends MemoryStorage {
      override async *listObjects(bucket: string, prefix?: string, options?: ListOptions) {
        let count = 0
        for await (const entry of super.listObjects(bucket, prefix, options)) {
          count++
          yield entry
        }
        if (count === 0) throw new Error('404 NoSuchPrefix')
      }
    },
  },
  'lists no sizes': {
    fails: 'a listing tells sizes, and ETags as head does',
    Storage: class extends MemoryStorage {
      override async *listObjects(bucket: string, prefix?: string, options?: ListOptions) {
        for await (const entry of super.listObjects(bucket, prefix, options)) yield { ...entry, sizeBytes: 0 }
      }
    },
  },
  'does not let a listing be left': {
    fails: 'a listing can be left early',
    Storage: class extends MemoryStorage {
      override async *listObjects(bucket: string, prefix?: string, options?: ListOptions) {
        let isWhole = false
        try {
          yield* super.listObjects(bucket, prefix, options)
          isWhole = true
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: the mistake
          if (!isWhole) throw new Error('the page was not read to its end')
        }
      }
    },
  },
  'forgets the type of copies': {
    fails: 'keeps the type that it is told of an object, copies too, or has none',
    Storage: class extends MemoryStorage {
      override async copyObject(from: ObjectPlace, to: ObjectPlace) {
        const copied = await super.copyObject(from, to)
        await this.putObject(to.bucket, to.key, await this.getObject(from.bucket, from.key))
        return copied
      }
    },
  },
  'takes shorter keys than it says': {
    fails: 'takes keys up to its limit, and refuses longer ones',
    Storage: class extends MemoryStorage {
      override readonly capabilities = { ...new MemoryStorage().capabilities, maxKeyBytes: 5000 }
    },
  },
  'has a name that no config can have': {
    fails: 'has a name, the contract version and capabilities',
    Storage: class extends MemoryStorage {
      override readonly name = 'My Storage' as never
    },
  },
  'cuts large objects': {
    fails: 'reads what was written',
    Storage: class extends MemoryStorage {
      override async getObject(bucket: string, key: string, options?: GetOptions) {
        return (await super.getObject(bucket, key, options)).subarray(0, 1_000_000)
      }
    },
  },
  'keeps the first version': {
    fails: 'replaces an object',
    Storage: class extends MemoryStorage {
      override putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
        return super.putObject(bucket, key, body, { ...options, ifAbsent: true })
      }
    },
  },
  'loses all pieces of a stream but the first': {
    fails: 'writes and reads streams',
    Storage: class extends MemoryStorage {
      override async putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
        if (body instanceof Uint8Array) return super.putObject(bucket, key, body, options)
        for await (const piece of body) return super.putObject(bucket, key, piece, options)
        return super.putObject(bucket, key, new Uint8Array(), options)
      }
    },
  },
  'streams whole objects only': {
    fails: 'a stream can be read in part and left',
    Storage: class extends MemoryStorage {
      override getObjectStream(bucket: string, key: string, { range: _, ...options }: GetOptions = {}) {
        return super.getObjectStream(bucket, key, options)
      }
    },
  },
  'gives every object the same ETag': {
    fails: 'tells size, time and ETag of an object',
    Storage: class extends MemoryStorage {
      override async headObject(bucket: string, key: string, options?: StorageCallOptions) {
        return { ...(await super.headObject(bucket, key, options)), etag: 'same' }
      }
    },
  },
  'makes buckets by itself': {
    fails: 'a missing bucket is an ObjectNotFoundError',
    Storage: class extends MemoryStorage {
      override async putObject(bucket: string, key: string, body: Body, options?: PutOptions) {
        await this.createBucket(bucket)
        return super.putObject(bucket, key, body, options)
      }
    },
  },
  'takes a key for a prefix when it removes': {
    fails: 'many writers and removers at once leave what they should',
    Storage: class extends MemoryStorage {
      override async deleteObject(bucket: string, key: string, options?: StorageCallOptions) {
        for await (const entry of this.listObjects(bucket, key)) {
          await super.deleteObject(bucket, entry.key, options)
        }
      }
    },
  },
  'writes on although its signal is aborted': {
    fails: 'a signal aborted during a write leaves no object',
    Storage: class extends MemoryStorage {
      override putObject(
        bucket: string,
        key: string,
        body: Body,
        { signal: _, ...options }: PutOptions = {},
      ) {
        return super.putObject(bucket, key, body, options)
      }
    },
  },
  'serves one request at a time': {
    fails: 'answers requests made at the same time',
    Storage: class extends MemoryStorage {
      #isBusy = false
      override async getObject(bucket: string, key: string, options?: GetOptions) {
        if (this.#isBusy) throw new Error('429 Too Many Requests')
        this.#isBusy = true
        await new Promise(resolve => setImmediate(resolve))
        this.#isBusy = false
        return super.getObject(bucket, key, options)
      }
    },
  },
  'gives workers what is no JSON': {
    fails: 'gives the worker a configuration that is plain JSON',
    Storage: class extends MemoryStorage {
      override workerConfig() {
        return { ...super.workerConfig(), since: new Date(0) }
      }
    },
  },
  'empties a bucket that is created again': {
    fails: 'a bucket can be created again and keeps its objects',
    Storage: class extends MemoryStorage {
      override async createBucket(bucket: string, options?: StorageCallOptions) {
        if (await this.bucketExists(bucket)) {
          for await (const { key } of this.listObjects(bucket)) await this.deleteObject(bucket, key)
        }
        return super.createBucket(bucket, options)
      }
    },
  },
  'gives URLs that lead nowhere': {
    fails: 'gives a URL that reads and writes an object',
    Storage: class extends MemoryStorage {
      override readonly capabilities = { ...new MemoryStorage().capabilities, presignedUrls: true }
      async presignUrl() {
        return 'data:,'
      }
    },
  },
}

describe('the storage kit catches a storage that', () => {
  test.each(Object.entries(mistakes))('%s', (_, { fails, Storage }) =>
    mustFail(
      kitTest =>
        storageConformance({
          test: kitTest,
          createBackend: () => new Storage(),
          timing: { manyKeys: 1_100 },
        }),
      `storage: ${fails}`,
    ),
  )
})
