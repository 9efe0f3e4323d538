/** Reply frames: u8 type, u32 length, payload. From: docs/protocol.md. */
const HEAD_BYTES = 5
/** JSON of what a worker says of itself, once per activation. */
const WORKER_FRAME = 5

/** Looks in the frames of an activation for who runs it. */
export class WorkerFinder {
  #workerId: string | undefined

  /** Undefined until it was told. */
  get workerId(): string | undefined {
    return this.#workerId
  }

  /** Takes whole frames. */
  look(frames: Uint8Array): void {
    if (this.#workerId !== undefined) return
    const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
    for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
      const end = at + HEAD_BYTES + bytes.readUInt32LE(at + 1)
      if (bytes[at] === WORKER_FRAME) {
        const facts = JSON.parse(bytes.toString('utf8', at + HEAD_BYTES, end)) as {
          readonly workerId?: string
        }
        this.#workerId = facts.workerId
        return
      }
      at = end
    }
  }
}
