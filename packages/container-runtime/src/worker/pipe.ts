import type { Duplex } from 'node:stream'

/**
 * Messages between the process that serves and those that run functions, over one duplex pipe (file descriptor 3 of the
 * latter): u32 length of the payload, u8 kind, u32 number of the activation, payload.
 */
export const PipeMessage = {
  /** To a process: an activation message. */
  activate: 1,
  /** To a process: nobody waits for the activation any more. */
  cancel: 2,
  /** To a process: nobody reads the reply any more, and the calls go on. */
  unheard: 3,
  /** From a process: it takes activations; JSON of its metadata. */
  ready: 4,
  /** From a process: the message was read, and its calls begin. */
  accepted: 5,
  /** From a process: reply frames. */
  frames: 6,
  /** From a process: the activation has ended; empty, or JSON of an ActivationError. */
  ended: 7,
  /** From a process: a function may still be running after its timeout; it should be given nothing more. */
  poisoned: 8,
} as const

export const PIPE_FD = 3

const HEAD_BYTES = 9
const NOTHING = new Uint8Array(0)

export function sendMessage(
  pipe: Duplex,
  kind: number,
  activation: number,
  payload: Uint8Array = NOTHING,
): void {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32LE(payload.length, 0)
  head[4] = kind
  head.writeUInt32LE(activation, 5)
  if (payload.length === 0) {
    pipe.write(head)
    return
  }
  pipe.cork()
  pipe.write(head)
  pipe.write(payload)
  pipe.uncork()
}

/** Calls `onMessage` for each whole message that comes. */
export function readMessages(
  pipe: Duplex,
  onMessage: (kind: number, activation: number, payload: Buffer) => void,
): void {
  let chunks: Buffer[] = []
  let length = 0
  let needed = HEAD_BYTES
  pipe.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    // a message of many chunks is put together once
    if (length < needed) return
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    let at = 0
    for (;;) {
      needed = HEAD_BYTES
      if (bytes.length - at < needed) break
      needed += bytes.readUInt32LE(at)
      if (bytes.length - at < needed) break
      const kind = bytes[at + 4] as number
      onMessage(kind, bytes.readUInt32LE(at + 5), bytes.subarray(at + HEAD_BYTES, at + needed))
      at += needed
    }
    chunks = at < bytes.length ? [bytes.subarray(at)] : []
    length = bytes.length - at
  })
}
