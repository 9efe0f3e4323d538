import type { FileHandle } from 'node:fs/promises'
import type { StoragePlace } from '../driver/storage-checks.ts'
import { translate } from './localhost-storage-errors.ts'

const READ_BYTES = 256 * 1024

/** Pieces of an open file. Closes it when the reader comes to the end, stops, or meets an error. */
export class FileBody implements AsyncIterable<Uint8Array> {
  readonly #file: FileHandle
  readonly #end: number
  readonly #signal: AbortSignal | undefined
  readonly #place: StoragePlace
  #at: number
  #isDone = false

  constructor(
    file: FileHandle,
    options: {
      readonly start: number
      readonly end: number
      readonly signal: AbortSignal | undefined
      readonly place: StoragePlace
    },
  ) {
    this.#file = file
    this.#at = options.start
    this.#end = options.end
    this.#signal = options.signal
    this.#place = options.place
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const value = await this.#read()
        return value === undefined ? { done: true, value } : { done: false, value }
      },
      return: async () => {
        await this.#finish()
        return { done: true, value: undefined }
      },
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#isDone) return undefined
    try {
      this.#signal?.throwIfAborted()
      const wanted = Math.min(READ_BYTES, this.#end - this.#at)
      if (wanted > 0) {
        const { bytesRead, buffer } = await this.#file.read(new Uint8Array(wanted), 0, wanted, this.#at)
        if (bytesRead === 0) throw new Error('the file became shorter while it was read')
        this.#at += bytesRead
        return buffer.subarray(0, bytesRead)
      }
    } catch (error) {
      await this.#finish()
      throw translate(error, this.#place)
    }
    await this.#finish()
    return undefined
  }

  async #finish(): Promise<void> {
    if (this.#isDone) return
    this.#isDone = true
    await this.#file.close()
  }
}
