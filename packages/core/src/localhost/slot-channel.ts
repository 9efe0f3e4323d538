/**
 * Messages between the localhost backend and its worker processes, over one duplex pipe (file descriptor 3 of the
 * worker): u32 length of the payload, u8 kind, payload.
 */
export const SlotMessage = {
  /** To the worker: an activation message. */
  activate: 1,
  /** From the worker: reply frames of the activation it runs. */
  frames: 2,
  /** From the worker: the activation has ended. */
  done: 3,
  /** From the worker: a function may still be running after its timeout; do not use this process any more. */
  poisoned: 4,
  /** From the worker: user code ended the process; u8 exit code. */
  exiting: 5,
  /** To the worker, before the activations that need them: secrets of storages and monitors (`encodeSecrets`). */
  secrets: 6,
  /** From the worker: reply frames that hold log text alone. A function that loops and logs is not getting on. */
  log: 7,
} as const

/** File descriptor of the pipe in the worker process. */
export const SLOT_FD = 3

const HEAD_BYTES = 5

/** A message that comes in several chunks. */
interface LargeMessage {
  readonly kind: number
  readonly buffer: Buffer
  filled: number
}

export function slotMessageHead(kind: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32LE(length, 0)
  head[4] = kind
  return head
}

/** Cuts a byte stream into messages. Large messages are gathered without copying more than once. */
export class SlotMessageReader {
  readonly #onMessage: (kind: number, payload: Buffer) => void
  #rest: Buffer | undefined
  #large: LargeMessage | undefined

  constructor(onMessage: (kind: number, payload: Buffer) => void) {
    this.#onMessage = onMessage
  }

  push(chunk: Buffer): void {
    let at = 0
    if (this.#large !== undefined) {
      at = this.#fillLarge(chunk, 0)
      if (this.#large !== undefined) return
    }
    let buffer = chunk
    if (this.#rest !== undefined) {
      buffer = Buffer.concat([this.#rest, chunk.subarray(at)])
      this.#rest = undefined
      at = 0
    }
    while (buffer.length - at >= HEAD_BYTES) {
      const length = buffer.readUInt32LE(at)
      const kind = buffer[at + 4] as number
      const start = at + HEAD_BYTES
      if (buffer.length - start < length) {
        this.#large = { kind, buffer: Buffer.allocUnsafeSlow(length), filled: 0 }
        this.#fillLarge(buffer, start)
        return
      }
      this.#onMessage(kind, buffer.subarray(start, start + length))
      at = start + length
    }
    if (at < buffer.length) this.#rest = buffer.subarray(at)
  }

  /** Returns how far `chunk` was used. */
  #fillLarge(chunk: Buffer, start: number): number {
    const large = this.#large as LargeMessage
    const take = Math.min(chunk.length - start, large.buffer.length - large.filled)
    chunk.copy(large.buffer, large.filled, start, start + take)
    large.filled += take
    if (large.filled === large.buffer.length) {
      this.#large = undefined
      this.#onMessage(large.kind, large.buffer)
    }
    return start + take
  }
}
