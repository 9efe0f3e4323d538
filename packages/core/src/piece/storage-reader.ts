import type { Storage } from '../storage/storage.ts'
import type { PieceDescriptor } from './descriptor.ts'
import type { ObjectReader } from './object-reader.ts'

/** Reads an object of a storage; what breaks is read on by the storage itself. */
export class StorageReader implements ObjectReader {
  readonly #descriptor: PieceDescriptor
  readonly #storage: () => Storage | Promise<Storage>
  readonly #signal: AbortSignal | undefined

  constructor(
    descriptor: PieceDescriptor,
    storage: () => Storage | Promise<Storage>,
    signal: AbortSignal | undefined,
  ) {
    this.#descriptor = descriptor
    this.#storage = storage
    this.#signal = signal
  }

  async *open(start: number, end: number | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isNothing(start, end)) return
    const storage = await this.#storage()
    yield* await storage.get(this.#descriptor.key, { ...this.#options(start, end), as: 'stream' })
  }

  async readAll(start: number, end: number | undefined): Promise<Uint8Array> {
    if (this.#isNothing(start, end)) return new Uint8Array(0)
    const storage = await this.#storage()
    return storage.get(this.#descriptor.key, { ...this.#options(start, end), as: 'bytes' })
  }

  /** Some services refuse any range of an object without bytes. */
  #isNothing(start: number, end: number | undefined): boolean {
    return (
      start >= Math.min(end ?? Number.POSITIVE_INFINITY, this.#descriptor.size ?? Number.POSITIVE_INFINITY)
    )
  }

  #options(start: number, end: number | undefined) {
    const { bucket, etag, size } = this.#descriptor
    const isAll = start === 0 && (end === undefined || end === size)
    return {
      ...(bucket === undefined ? {} : { bucket }),
      ...(etag === undefined ? {} : { ifMatch: etag }),
      ...(isAll ? {} : { range: { start, ...(end === undefined ? {} : { end }) } }),
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    }
  }
}
