import { setMaxListeners } from 'node:events'
import type { MonitorDriver } from '../driver/driver.ts'
import { type JobKey, MONITOR_SPEC_VERSION, type Monitor, type WatchOptions } from '../driver/monitor.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import { ConfigError, MonitorError } from '../errors/index.ts'
import { InternalStorage, statusPrefix } from '../storage/internal-storage.ts'
import { sleep } from '../storage/sleep.ts'
import { blockPrefix } from '../storage/status-key.ts'
import type { StoragePublisherAddress } from '../worker/storage-publisher.ts'
import { type Pause, PollingPace, type PollingPaceOptions } from './polling-pace.ts'
import { readStatuses } from './read-statuses.ts'

export interface StorageMonitorConfig {
  /** Longest pause between two looks, in seconds. Default: 1. */
  readonly monitoring_interval?: number
}

/** Listings of these cost no request over the network. */
const NEAR_STORAGES = new Set(['localhost', 'memory'])
const NEAR_MIN_PAUSE_MS = 5
const FAR_MIN_PAUSE_MS = 100
const MAX_PAUSE_MS = 1_000
/** A request lists so many keys at every service that we know. */
const KEYS_PER_LISTING = 1000
/** Longest key that carries frames; the S3 API allows no more. */
const MAX_KEY_BYTES = 1024
/** The same of one part of it where keys are paths: what file systems take. */
const MAX_FILE_NAME_BYTES = 255

/** The way home through object storage: workers write objects, the client lists and reads them. */
export class StorageMonitor implements Monitor {
  readonly specVersion = MONITOR_SPEC_VERSION
  readonly name = 'storage'
  readonly #storage: InternalStorage
  readonly #pace: PollingPaceOptions
  readonly #maxKeyBytes: number
  readonly #makePause: (usual: Pause) => Pause
  readonly #closing = new AbortController()

  constructor(options: {
    readonly backend: StorageBackend
    readonly bucket: string
    readonly pace?: Partial<PollingPaceOptions>
    /** Longest key that may carry frames. Default: the storage's limit; 0 where reading an object costs no request. */
    readonly maxKeyBytes?: number
    /** Makes another pause of the usual one, for one watching. */
    readonly makePause?: (usual: Pause) => Pause
  }) {
    this.#makePause = options.makePause ?? (usual => usual)
    this.#storage = new InternalStorage(options)
    const isNear = NEAR_STORAGES.has(options.backend.name)
    this.#maxKeyBytes =
      options.maxKeyBytes ?? (isNear ? 0 : Math.min(MAX_KEY_BYTES, options.backend.capabilities.maxKeyBytes))
    this.#pace = {
      minPauseMs: isNear ? NEAR_MIN_PAUSE_MS : FAR_MIN_PAUSE_MS,
      maxPauseMs: MAX_PAUSE_MS,
      ...options.pace,
    }
  }

  async *watch(job: JobKey, options: WatchOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    setMaxListeners(0, signal) // as many as reads under way, and no leak
    const seen = new Set<string>()
    const pace = new PollingPace(this.#pace, options.openCalls)
    const pause = this.#makePause(look => pace.pause(look))
    try {
      while (!signal.aborted) {
        const begun = performance.now()
        await this.#storage.ensureBucket()
        const prefixes = prefixesToList(job, seen.size, options.openBlocks?.())
        const isNew = (key: string) => !seen.has(key)
        for await (const { key, frames } of readStatuses(this.#storage, job, { prefixes, isNew, signal })) {
          seen.add(key)
          yield frames
          if (signal.aborted) return
        }
        await pause({ tookMs: performance.now() - begun, signal, sleep })
      }
    } catch (cause) {
      if (signal.aborted) return
      throw new MonitorError(`The storage monitor cannot read job ${job.executorId}/${job.jobId} any more`, {
        details: { ...job, bucket: this.#storage.bucket, storage: this.#storage.backend.name },
        cause,
      })
    }
  }

  async publisherAddress(_job: JobKey): Promise<StoragePublisherAddress> {
    await this.#storage.ensureBucket()
    return {
      kind: 'storage',
      storage: this.#storage.backend.name,
      config: this.#storage.backend.workerConfig(),
      bucket: this.#storage.bucket,
      ...(this.#maxKeyBytes === 0 ? {} : { maxKeyBytes: this.#maxKeyBytes }),
      ...(this.#storage.backend.capabilities.keysAreFilePaths
        ? { maxSegmentBytes: MAX_FILE_NAME_BYTES }
        : {}),
    }
  }

  async forget(job: JobKey): Promise<void> {
    const { backend, bucket } = this.#storage
    if (!(await backend.bucketExists(bucket))) return
    const keys: string[] = []
    for await (const { key } of backend.listObjects(bucket, statusPrefix(job))) keys.push(key)
    if (keys.length > 0) await backend.deleteObjects(bucket, keys)
  }

  /** Ends all watching. The storage stays open: it is the executor's. */
  async close(): Promise<void> {
    this.#closing.abort()
  }
}

/**
 * The whole job in one listing while that is one request; later only blocks that have open calls, as long as they are
 * fewer than the requests that listing everything again would take.
 */
function prefixesToList(job: JobKey, seenCount: number, openBlocks: readonly number[] = []): string[] {
  const requestsForAll = 1 + Math.floor(seenCount / KEYS_PER_LISTING)
  if (openBlocks.length === 0 || openBlocks.length > requestsForAll) return [statusPrefix(job)]
  return openBlocks.map(block => blockPrefix(job, block))
}

export interface StorageMonitorSurroundings {
  readonly storage: { readonly backend: StorageBackend; readonly bucket: string } | undefined
  readonly makePause?: (usual: Pause) => Pause
}

/** Opens it as the config has it. Throws ConfigError where there is no storage. */
export function openStorageMonitor(
  config: StorageMonitorConfig,
  { storage, makePause }: StorageMonitorSurroundings,
): StorageMonitor {
  if (storage === undefined) {
    throw new ConfigError(
      "monitoring: 'storage' needs a storage, and the config has 'storage: storageless'; " +
        "name a storage, or use 'monitoring: rabbitmq'",
    )
  }
  const { monitoring_interval: intervalSeconds } = config
  const pace = intervalSeconds === undefined ? {} : { maxPauseMs: intervalSeconds * 1000 }
  return new StorageMonitor({ ...storage, pace, ...(makePause === undefined ? {} : { makePause }) })
}

/** The storage monitor, config name `storage`. */
export const storageMonitorDriver: MonitorDriver<StorageMonitorConfig> = {
  specVersion: 1,
  name: 'storage',
  create: (config, surroundings) => openStorageMonitor(config, surroundings),
}
