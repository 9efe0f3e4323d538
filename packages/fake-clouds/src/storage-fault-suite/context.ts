import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import type {
  ObjectNotFoundError,
  StorageAccessError,
  StorageBackend,
  StorageError,
} from '@lithops/core/driver'
import type { FaultProxy } from '../fault-proxy/index.ts'
import type { FaultDialect } from './dialect.ts'
import type { StorageFaultSuiteOptions } from './suite.ts'

/** What a case has. */
export class FaultContext<K = unknown> implements AsyncDisposable {
  readonly options: StorageFaultSuiteOptions<K>
  readonly proxy: FaultProxy
  /** Goes through the proxy. */
  readonly backend: StorageBackend
  /** Goes past it, to see what is really there. */
  readonly direct: StorageBackend
  readonly bucket = `faults-${randomUUID()}`
  readonly #errors: StorageError[] = []

  constructor(parts: {
    readonly options: StorageFaultSuiteOptions<K>
    readonly proxy: FaultProxy
    readonly backend: StorageBackend
    readonly direct: StorageBackend
  }) {
    this.options = parts.options
    this.proxy = parts.proxy
    this.backend = parts.backend
    this.direct = parts.direct
  }

  async begin(): Promise<void> {
    await this.direct.createBucket(this.bucket)
    this.proxy.clear()
  }

  get dialect(): FaultDialect<K> {
    return this.options.dialect
  }

  /** The storage with other keys than the server's. */
  openWith(keys: K): Promise<StorageBackend> {
    return this.options.open(this.proxy.url, keys)
  }

  /** Every operation of a storage that asks the service, by name. */
  operations(backend = this.backend, key = 'some/key'): Record<string, () => Promise<unknown>> {
    const { bucket } = this
    return {
      put: () => backend.putObject(bucket, key, new Uint8Array(10)),
      'put of a stream': () => backend.putObject(bucket, key, streamOf(100)),
      get: () => backend.getObject(bucket, key),
      'get of a stream': () => backend.getObjectStream(bucket, key),
      head: () => backend.headObject(bucket, key),
      delete: () => backend.deleteObject(bucket, key),
      'delete of many': () => backend.deleteObjects(bucket, [key, `${key}2`]),
      list: () => keysOf(backend, bucket),
      find: () => backend.bucketExists(bucket),
    }
  }

  /** Asserts the class of an error, and that it says where it happened. */
  async rejects(
    promise: Promise<unknown>,
    errorClass: typeof StorageError | typeof ObjectNotFoundError | typeof StorageAccessError,
    expected: { readonly isRetryable: boolean; readonly key?: string; readonly code?: string },
    what: string,
  ): Promise<StorageError> {
    const error = await promise.then(
      () => assert.fail(`${what}: expected an error`),
      (reason: unknown) => reason,
    )
    assert.ok(errorClass.isInstance(error), `${what}: ${errorClass.name} expected, not ${inspect(error)}`)
    this.#errors.push(error)
    const { operation, bucket, key, region } = error.details
    assert.equal(error.isRetryable, expected.isRetryable, `${what}: isRetryable of ${error.message}`)
    assert.equal(typeof operation, 'string', `${what}: details.operation`)
    assert.equal(typeof bucket, 'string', `${what}: details.bucket`)
    assert.equal(typeof region, 'string', `${what}: details.region`)
    for (const part of [operation, bucket, region]) {
      assert.ok(error.message.includes(String(part)), `${what}: '${part}' is not in: ${error.message}`)
    }
    if (expected.key !== undefined) {
      assert.equal(key, expected.key, `${what}: details.key`)
      assert.ok(error.message.includes(expected.key), `${what}: the key is not in: ${error.message}`)
    }
    if (expected.code !== undefined) assert.equal(error.code, expected.code, `${what}: code`)
    return error
  }

  /** Objects and unfinished uploads that are there. */
  async leftovers(): Promise<{ readonly keys: string[]; readonly uploads: string[] }> {
    const uploads = (await this.dialect.unfinished?.(this.direct, this.bucket)) ?? []
    return { keys: await keysOf(this.direct, this.bucket), uploads: [...uploads] }
  }

  async checkLeftovers(): Promise<void> {
    const { keys } = await this.leftovers()
    await this.direct.deleteObjects(this.bucket, keys)
    assert.deepEqual(await this.leftovers(), { keys: [], uploads: [] }, 'what is left in the bucket')
  }

  /** No error that was seen shows a secret, however it is printed. */
  checkErrors(): void {
    const { dialect, server } = this.options
    const secrets = [...dialect.secrets(server.part), WRONG_SECRET, 'Bearer ']
    for (const error of this.#errors) {
      const printed = [
        inspect(error, { depth: 20, showHidden: true, getters: true }),
        JSON.stringify(error.details),
        String(error.stack),
        JSON.stringify(error),
      ].join('\n')
      for (const secret of secrets) {
        assert.ok(!printed.includes(secret), `'${secret.slice(0, 4)}…' is in ${error.message}`)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backend.close()
    await this.direct.close()
  }
}

export const WRONG_SECRET = 'wrong-secret-that-nobody-may-see'

export async function keysOf(backend: StorageBackend, bucket: string, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of backend.listObjects(bucket, prefix)) keys.push(key)
  return keys
}

/** Bytes that tell where they are. */
export function numbered(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i ^ (i >>> 8) ^ (i >>> 16)) & 0xff
  return bytes
}

/** The same as a stream of pieces. `onEnd` hears when nobody reads on. */
export async function* streamOf(
  length: number,
  options: { readonly onPiece?: (at: number) => void; readonly onEnd?: () => void } = {},
): AsyncGenerator<Uint8Array> {
  const bytes = numbered(length)
  try {
    for (let at = 0; at < length; at += 1 << 20) {
      options.onPiece?.(at)
      yield bytes.subarray(at, at + (1 << 20))
    }
  } finally {
    options.onEnd?.()
  }
}

export function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: length`)
  assert.ok(Buffer.compare(actual, expected) === 0, `${what}: bytes`)
}
