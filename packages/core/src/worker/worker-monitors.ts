import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { WorkerSecrets } from '../driver/compute-backend.ts'
import { MONITOR_SPEC_VERSION, type PublisherDriver, type StatusPublisher } from '../driver/monitor.ts'
import { NotSupportedError } from '../errors/index.ts'
import { FallbackPublisher } from './fallback-publisher.ts'
import type { JobHead, PublisherHead } from './protocol.ts'
import { createStoragePublisher, isStoragePublisherAddress } from './storage-publisher.ts'
import type { WorkerStorages } from './worker-storages.ts'

export interface WorkerMonitorsOptions {
  /** For the publisher of the storage monitor, and as the second way home of others. */
  readonly storages: WorkerStorages
  /** Workers' halves of monitors that the runtime brings. */
  readonly drivers?: readonly PublisherDriver[]
}

/**
 * The ways home that a worker process has opened. A publisher with a connection is opened once, with the address that
 * travelled and the secrets that were placed, and stays open for further jobs.
 */
export class WorkerMonitors {
  readonly #storages: WorkerStorages
  readonly #drivers: readonly PublisherDriver[]
  readonly #opened = new Map<string, Promise<StatusPublisher>>()
  readonly #replaced: Promise<StatusPublisher>[] = []
  readonly #secrets = new Map<string, Readonly<Record<string, string>>>()

  constructor(options: WorkerMonitorsOptions) {
    this.#storages = options.storages
    this.#drivers = options.drivers ?? []
  }

  /** Takes secrets that the backend placed. What is open with older ones is opened anew for the next job. */
  addSecrets(secrets: readonly WorkerSecrets[]): void {
    for (const { storageId, values } of secrets) {
      if (JSON.stringify(this.#secrets.get(storageId)) === JSON.stringify(values)) continue
      this.#secrets.set(storageId, values)
      for (const [key, publisher] of this.#opened) {
        if (!key.startsWith(`${storageId}\n`)) continue
        // not closed yet: an activation that is under way may be using it
        this.#replaced.push(publisher)
        this.#opened.delete(key)
      }
    }
  }

  /**
   * The publisher of a job, for one activation: closing it leaves the connection open. Throws NotSupportedError when the
   * job's way home is one that this worker does not have.
   */
  async open(head: JobHead): Promise<StatusPublisher> {
    const { publisher } = head
    if (publisher === undefined) throw new NotSupportedError('This job has no publisher.')
    if (isStoragePublisherAddress(publisher)) {
      await this.#storages.load(head)
      return this.#overStorage(head, publisher)
    }
    const kept = keptOpen(await this.#openedOnce(publisher))
    const { fallback } = publisher
    if (fallback === undefined) return kept
    await this.#storages.load(head)
    return new FallbackPublisher(kept, () => this.#overStorage(head, fallback))
  }

  /** Ends the connections of all publishers. */
  async close(): Promise<void> {
    const opened = [...this.#opened.values(), ...this.#replaced.splice(0)]
    this.#opened.clear()
    await Promise.allSettled(opened.map(async publisher => (await publisher).close()))
  }

  #overStorage(head: JobHead, address: PublisherHead): StatusPublisher {
    if (head.storage !== undefined) return createStoragePublisher(address, this.#storages.of(head))
    // an address of its own storage
    const {
      storage: name,
      config,
      bucket,
    } = address as PublisherHead & {
      readonly storage: string
      readonly config: Readonly<Record<string, unknown>>
      readonly bucket: string
    }
    return createStoragePublisher(address, this.#storages.of({ ...head, storage: { name, config, bucket } }))
  }

  #openedOnce(publisher: PublisherHead): Promise<StatusPublisher> {
    const { module: _module, secretsId, fallback: _fallback, ...address } = publisher
    const key = `${secretsId ?? ''}\n${JSON.stringify(address)}`
    let opened = this.#opened.get(key)
    if (opened === undefined) {
      opened = this.#open(publisher, address)
      this.#opened.set(key, opened)
      opened.catch(() => this.#opened.delete(key))
    }
    return opened
  }

  async #open(
    { module, secretsId }: PublisherHead,
    address: { readonly kind: string },
  ): Promise<StatusPublisher> {
    const brought = this.#drivers.find(driver => driver.kind === address.kind)
    const driver = brought ?? (await importPublisher(module))
    if (driver === undefined || driver.kind !== address.kind) {
      throw new NotSupportedError(
        `This worker cannot publish over '${address.kind}': its runtime does not bring the worker's half of that monitor.`,
      )
    }
    if (driver.specVersion !== MONITOR_SPEC_VERSION) {
      throw new NotSupportedError(
        `The worker's half of the monitor '${address.kind}' has specVersion ${String(driver.specVersion)}, and this worker needs ${MONITOR_SPEC_VERSION}.`,
      )
    }
    const secrets = secretsId === undefined ? undefined : this.#secrets.get(secretsId)
    return driver.open(address, { secrets: secrets ?? {} })
  }
}

/** The same for one activation. */
function keptOpen(publisher: StatusPublisher): StatusPublisher {
  const { isRealTime, limit } = publisher
  return {
    ...(isRealTime === undefined ? {} : { isRealTime }),
    ...(limit === undefined ? {} : { limit }),
    publish: (frames, job, calls) => publisher.publish(frames, job, calls),
    ...(publisher.channel === undefined ? {} : { channel: () => publisher.channel?.() as never }),
    close: async () => publisher.flush?.(),
  }
}

async function importPublisher(file: string | undefined): Promise<PublisherDriver | undefined> {
  if (file === undefined || !existsSync(file)) return undefined
  const module = (await import(pathToFileURL(file).href)) as {
    publisher?: PublisherDriver
    default?: { publisher?: PublisherDriver }
  }
  return (
    module.publisher ??
    module.default?.publisher ??
    (createRequire(file)(file) as { publisher?: PublisherDriver }).publisher
  )
}
