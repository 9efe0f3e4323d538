import { FRAME_HEAD_BYTES, HttpFrame } from './http-protocol.ts'

export interface SplitFrames {
  /** Whole reply frames, as many as came together. */
  reply(frames: Uint8Array): void
  /** The payload of the end frame. */
  end(payload: Uint8Array): void
}

/** Cuts the body of an answer into whole frames, and takes out those of the connection. */
export class FrameSplitter {
  readonly #take: SplitFrames
  #chunks: Buffer[] = []
  #length = 0
  #needed = FRAME_HEAD_BYTES

  constructor(take: SplitFrames) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    // a frame of many chunks is put together once
    if (this.#length < this.#needed) return
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    let begin = 0
    let at = 0
    for (;;) {
      this.#needed = FRAME_HEAD_BYTES
      if (bytes.length - at < this.#needed) break
      this.#needed += bytes.readUInt32LE(at + 1)
      if (bytes.length - at < this.#needed) break
      const type = bytes[at]
      const next = at + this.#needed
      if (type === HttpFrame.heartbeat || type === HttpFrame.end) {
        if (begin < at) this.#take.reply(bytes.subarray(begin, at))
        if (type === HttpFrame.end) this.#take.end(bytes.subarray(at + FRAME_HEAD_BYTES, next))
        begin = next
      }
      at = next
    }
    if (begin < at) this.#take.reply(bytes.subarray(begin, at))
    this.#chunks = at < bytes.length ? [bytes.subarray(at)] : []
    this.#length = bytes.length - at
  }
}
