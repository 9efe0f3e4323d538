import type { PieceHead } from './worker/message.ts'

/** What has come of one worker process over one queue. */
interface Sender {
  count: number
  piece: number
  parts: Buffer[]
}

/**
 * Drops what a broken connection made the broker or a worker send twice, and puts pieces together. What a worker process
 * publishes comes in the order in which it counts, so that one number tells what is new.
 */
export class Reassembly {
  readonly #senders = new Map<string, Sender>()

  /** The whole of what was published when this was its last piece; undefined when it is not, or has been before. */
  take({ publisher, count, piece, pieces }: PieceHead, content: Buffer): Uint8Array | undefined {
    let sender = this.#senders.get(publisher)
    if (sender === undefined) {
      sender = { count: -1, piece: 0, parts: [] }
      this.#senders.set(publisher, sender)
    }
    if (count < sender.count) return undefined
    if (count > sender.count) {
      sender.count = count
      sender.piece = 0
      sender.parts = []
    }
    // a piece that came before; one that is missing comes again, as its worker repeats all of them
    if (piece !== sender.piece) return undefined
    sender.piece++
    if (pieces === 1) return content
    sender.parts.push(content)
    if (sender.piece < pieces) return undefined
    const whole = Buffer.concat(sender.parts)
    sender.parts = []
    return whole
  }
}
