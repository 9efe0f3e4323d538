import { nodeCrypto } from '../builtins.ts'
import type { JobKey, PublishedCalls, PublisherAddress, StatusPublisher } from '../driver/monitor.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { MonitorError } from '../errors/index.ts'
import { withRetries } from '../storage/retrying-storage.ts'
import { type KeyLimits, statusKey } from '../storage/status-key.ts'

/** What the storage monitor tells workers. */
export interface StoragePublisherAddress extends PublisherAddress {
  readonly kind: 'storage'
  /** Config name of the storage, e.g. 'aws_s3'. */
  readonly storage: string
  /** `workerConfig()` of the client's storage. */
  readonly config: Readonly<Record<string, unknown>>
  readonly bucket: string
  /** Longest key that may carry the frames themselves, so that a listing alone tells them; absent: none does. */
  readonly maxKeyBytes?: number
  /** The same of what is between two slashes of a key; absent: there is no such limit. */
  readonly maxSegmentBytes?: number
}

export function isStoragePublisherAddress(address: PublisherAddress): address is StoragePublisherAddress {
  return address.kind === 'storage' && typeof address.bucket === 'string'
}

/**
 * The worker's half of the storage monitor: each publishing is an object of its own, so that a worker that runs the same
 * attempt again never writes over what the client has read. Small frames lie in its key, and it is empty. The storage
 * stays open: whoever opened it closes it.
 */
export function createStoragePublisher(
  address: PublisherAddress,
  storageBackend: StorageBackend,
): StatusPublisher {
  if (!isStoragePublisherAddress(address)) {
    throw new MonitorError(`The storage publisher cannot use an address of kind '${address.kind}'`)
  }
  return new StoragePublisher(withRetries(storageBackend), address)
}

class StoragePublisher implements StatusPublisher {
  readonly #backend: StorageBackend
  readonly #bucket: string
  readonly #limits: KeyLimits
  readonly #id = nodeCrypto().randomBytes(4).toString('hex')
  readonly #underWay = new Set<Promise<unknown>>()
  #published = 0
  #isClosed = false

  constructor(backend: StorageBackend, address: StoragePublisherAddress) {
    this.#backend = backend
    this.#bucket = address.bucket
    const { maxKeyBytes = 0, maxSegmentBytes } = address
    this.#limits = { maxKeyBytes, ...(maxSegmentBytes === undefined ? {} : { maxSegmentBytes }) }
  }

  async publish(frames: Uint8Array, job: JobKey, call: PublishedCalls): Promise<void> {
    if (this.#isClosed) throw new MonitorError('The publisher is closed', { code: 'LITHOPS_CLOSED' })
    const unique = `${this.#id}-${this.#published++}`
    const { key, body } = statusKey(job, call, unique, frames, this.#limits)
    const put = this.#backend.putObject(this.#bucket, key, body)
    this.#underWay.add(put)
    try {
      await put
    } catch (cause) {
      throw new MonitorError(`The status of call ${call.callId} could not be written to storage`, {
        isRetryable: true,
        details: { ...job, ...call, bucket: this.#bucket, key },
        cause,
      })
    } finally {
      this.#underWay.delete(put)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#underWay)
  }
}
