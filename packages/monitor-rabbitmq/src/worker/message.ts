import type { JobKey } from '@lithops/core/worker'
import type { MessageProperties, Options } from 'amqplib'
import { PIECE_BYTES } from '../limits.ts'

/** Messages of others that get into a queue are dropped. */
const TYPE = 'lithops.status.1'

/** Queue of an executor. From: lithops/monitor.py. */
export function queueOf(executorId: string): string {
  return `lithops-${executorId}`
}

/** A piece of what was published at once. A publisher counts what it publishes; each queue gets it in that order. */
export interface PieceHead {
  readonly job: JobKey
  /** Of one worker process. */
  readonly publisher: string
  readonly count: number
  readonly piece: number
  readonly pieces: number
}

/** Confirmed messages outlive a restart of the broker: the queue is durable, and they are too. */
export function propertiesOf({ job, publisher, count, piece, pieces }: PieceHead): Options.Publish {
  return {
    type: TYPE,
    messageId: `${publisher}.${count}.${piece}.${pieces}`,
    correlationId: `${job.executorId}/${job.jobId}`,
    contentType: 'application/octet-stream',
    persistent: true,
  }
}

/** Undefined for messages of others. */
export function headOf({ type, messageId, correlationId }: MessageProperties): PieceHead | undefined {
  if (type !== TYPE || typeof messageId !== 'string' || typeof correlationId !== 'string') return undefined
  const [publisher = '', ...numbers] = messageId.split('.')
  const [count = Number.NaN, piece = Number.NaN, pieces = Number.NaN] = numbers.map(Number)
  const [executorId = '', jobId = '', ...rest] = correlationId.split('/')
  if (!(piece >= 0 && piece < pieces && count >= 0) || jobId === '' || rest.length > 0) return undefined
  return { job: { executorId, jobId }, publisher, count, piece, pieces }
}

/** Frames in pieces that a message holds. */
export function piecesOf(frames: Uint8Array): Buffer[] {
  const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
  const pieces: Buffer[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += PIECE_BYTES)
    pieces.push(bytes.subarray(at, at + PIECE_BYTES))
  return pieces
}
