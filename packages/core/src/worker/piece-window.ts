import { isSmallPiece, type ObjectPiece, type PieceDescriptor, pieceOf } from '../piece/index.ts'
import type { IncomingActivation, IncomingCall } from './activation-message.ts'
import type { RunningCall } from './call-context.ts'
import { InputKind, type JobHead } from './protocol.ts'
import type { WorkerHost } from './worker-host.ts'

/** Small objects that are read ahead of the call that runs, and their bytes at the most. */
const AHEAD_PIECES = 32
const AHEAD_BYTES = 16 * 1024 * 1024

interface MadePiece {
  readonly piece: ObjectPiece
  readonly bytes: number
  running: RunningCall | undefined
}

/**
 * The pieces of an activation's calls. While a call runs, small objects of the next ones are read, so that a function
 * that reads one object after the other does not wait for the network each time. Begins when the function has read one.
 */
export class PieceWindow {
  readonly #activation: IncomingActivation
  readonly #host: Pick<WorkerHost, 'openStorage'>
  readonly #made = new Map<number, MadePiece>()
  #isReading = false
  #aheadBytes = 0

  constructor(activation: IncomingActivation, host: Pick<WorkerHost, 'openStorage'>) {
    this.#activation = activation
    this.#host = host
  }

  /** The piece that a call is for. `index`: the call's place in the activation. */
  take(index: number, running: RunningCall): ObjectPiece {
    const made = this.#made.get(index) ?? this.#make(this.#descriptorAt(index))
    if (this.#made.delete(index)) this.#aheadBytes -= made.bytes
    made.running = running
    if (this.#isReading) this.#readAhead(index + 1)
    return made.piece
  }

  #readAhead(from: number): void {
    const { calls } = this.#activation
    for (let index = from; index < Math.min(calls.length, from + AHEAD_PIECES); index++) {
      if (this.#made.has(index) || calls[index]?.kind !== InputKind.piece) continue
      const descriptor = this.#descriptorAt(index)
      if (!isSmallPiece(descriptor)) continue
      const made = this.#make(descriptor)
      if (this.#aheadBytes + made.bytes > AHEAD_BYTES) return
      this.#aheadBytes += made.bytes
      this.#made.set(index, made)
      made.piece.prefetch()
    }
  }

  #make(descriptor: PieceDescriptor): MadePiece {
    const { head } = this.#activation
    const piece = pieceOf(descriptor, {
      storage: name => this.#host.openStorage(head, nameInJob(head, name)),
      signal: () => made.running?.signal,
      reading: () => {
        this.#isReading = true
      },
    })
    const made: MadePiece = { piece, bytes: descriptor.size ?? 0, running: undefined }
    return made
  }

  #descriptorAt(index: number): PieceDescriptor {
    const { bytes, calls } = this.#activation
    const { start, end } = calls[index] as IncomingCall
    return JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'),
    ) as PieceDescriptor
  }
}

/** The job's own storage is not told to workers a second time by its name. */
function nameInJob(head: JobHead, name: string | undefined): string | undefined {
  const isOwn = name === head.storage?.name && head.storages?.[name ?? ''] === undefined
  return isOwn ? undefined : name
}
