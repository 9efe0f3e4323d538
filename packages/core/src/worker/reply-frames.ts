import type { ByteWriter } from '../codec/byte-writer.ts'
import type { StorageRequests } from '../driver/storage-backend.ts'
import { ProtocolError } from '../errors/index.ts'
import { FrameType, type Location, type WorkerFacts } from './protocol.ts'

/**
 * Reply frames: what a worker tells about its calls. Each is u8 type, u32 length of the payload, payload:
 *
 *     started      u32 callId, u16 attempt, f64 time
 *     ended        u32 callId, u16 attempt, u8 outcome, f64 started, f64 ended, u32 peak memory in KiB, encoded value or error
 *     log          u32 callId, u16 attempt, u8 stream (1 stdout, 2 stderr), UTF-8 text
 *     handedBack   u32 callId, u16 attempt
 *     worker       JSON of WorkerFacts
 *     storageRequests   JSON of StorageRequests by config name of the storage: those since the worker last told
 *
 * Times are milliseconds since 1970 by the worker's clock.
 */
export interface FrameHandler {
  started(callId: number, attempt: number, atMs: number): void
  ended(end: EndedFrame): void
  log(callId: number, attempt: number, stream: number, text: string): void
  handedBack(callId: number, attempt: number): void
  worker(facts: WorkerFacts): void
  storageRequests(requests: RequestsByStorage): void
}

/** By config name of the storage. */
export type RequestsByStorage = Readonly<Record<string, StorageRequests>>

export interface EndedFrame {
  readonly callId: number
  readonly attempt: number
  readonly outcome: number
  readonly startedMs: number
  readonly endedMs: number
  readonly peakMemoryKib: number
  /** The message that holds the encoded value or error, and where in it. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Where the value lies, of a frame whose outcome is a reference. */
export function locationOf(frame: EndedFrame): Location {
  return JSON.parse(Buffer.from(frame.bytes.subarray(frame.start, frame.end)).toString('utf8')) as Location
}

const FRAME_HEAD_BYTES = 5
const ENDED_HEAD_BYTES = 27

export function writeStarted(writer: ByteWriter, callId: number, attempt: number, atMs: number): void {
  writer.u8(FrameType.started)
  writer.u32(14)
  writer.u32(callId)
  writer.u16(attempt)
  writer.f64(atMs)
}

/** Writes an ended frame; `writeBody` writes the encoded value or error. If that throws, nothing is left in the writer. */
export function writeEnded(
  writer: ByteWriter,
  end: Omit<EndedFrame, 'bytes' | 'start' | 'end'>,
  writeBody: (writer: ByteWriter) => void,
): void {
  const begin = writer.length
  writer.u8(FrameType.ended)
  writer.u32(0)
  writer.u32(end.callId)
  writer.u16(end.attempt)
  writer.u8(end.outcome)
  writer.f64(end.startedMs)
  writer.f64(end.endedMs)
  writer.u32(end.peakMemoryKib)
  try {
    writeBody(writer)
  } catch (error) {
    writer.truncate(begin)
    throw error
  }
  writer.patchU32(begin + 1, writer.length - begin - FRAME_HEAD_BYTES)
}

export function writeLog(
  writer: ByteWriter,
  callId: number,
  attempt: number,
  stream: number,
  text: string,
): void {
  const begin = writer.length
  writer.u8(FrameType.log)
  writer.u32(0)
  writer.u32(callId)
  writer.u16(attempt)
  writer.u8(stream)
  writer.utf8(text)
  writer.patchU32(begin + 1, writer.length - begin - FRAME_HEAD_BYTES)
}

export function writeHandedBack(writer: ByteWriter, callId: number, attempt: number): void {
  writer.u8(FrameType.handedBack)
  writer.u32(6)
  writer.u32(callId)
  writer.u16(attempt)
}

export function writeWorkerFacts(writer: ByteWriter, facts: WorkerFacts): void {
  writeJson(writer, FrameType.worker, facts)
}

export function writeStorageRequests(writer: ByteWriter, requests: RequestsByStorage): void {
  writeJson(writer, FrameType.storageRequests, requests)
}

function writeJson(writer: ByteWriter, type: number, value: unknown): void {
  const begin = writer.length
  writer.u8(type)
  writer.u32(0)
  writer.utf8(JSON.stringify(value))
  writer.patchU32(begin + 1, writer.length - begin - FRAME_HEAD_BYTES)
}

/** Reads whole frames and hands each to `handler`. Throws ProtocolError for damaged bytes; unknown types are skipped. */
export function readFrames(bytes: Uint8Array, handler: FrameHandler): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at < bytes.length) {
    if (at + FRAME_HEAD_BYTES > bytes.length)
      throw new ProtocolError('A reply ends in the middle of a frame.')
    const type = view.getUint8(at)
    const start = at + FRAME_HEAD_BYTES
    const end = start + view.getUint32(at + 1, true)
    if (end > bytes.length) throw new ProtocolError('A reply ends in the middle of a frame.')
    readFrame(type, bytes, view, start, end, handler)
    at = end
  }
}

function readFrame(
  type: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  handler: FrameHandler,
): void {
  switch (type) {
    case FrameType.started:
      need(14, start, end)
      return handler.started(
        view.getUint32(start, true),
        view.getUint16(start + 4, true),
        view.getFloat64(start + 6, true),
      )
    case FrameType.ended:
      need(ENDED_HEAD_BYTES, start, end)
      return handler.ended({
        callId: view.getUint32(start, true),
        attempt: view.getUint16(start + 4, true),
        outcome: view.getUint8(start + 6),
        startedMs: view.getFloat64(start + 7, true),
        endedMs: view.getFloat64(start + 15, true),
        peakMemoryKib: view.getUint32(start + 23, true),
        bytes,
        start: start + ENDED_HEAD_BYTES,
        end,
      })
    case FrameType.log:
      need(7, start, end)
      return handler.log(
        view.getUint32(start, true),
        view.getUint16(start + 4, true),
        view.getUint8(start + 6),
        text(bytes, start + 7, end),
      )
    case FrameType.handedBack:
      need(6, start, end)
      return handler.handedBack(view.getUint32(start, true), view.getUint16(start + 4, true))
    case FrameType.worker:
      return handler.worker(factsIn(text(bytes, start, end)))
    case FrameType.storageRequests:
      return handler.storageRequests(JSON.parse(text(bytes, start, end)) as RequestsByStorage)
  }
}

function need(bytes: number, start: number, end: number): void {
  if (end - start < bytes) throw new ProtocolError('A reply frame is too short.')
}

/** Facts by their text: a worker says the same of itself with every activation but its first. */
const knownFacts = new Map<string, WorkerFacts>()
const MOST_KNOWN_FACTS = 4096

function factsIn(json: string): WorkerFacts {
  let facts = knownFacts.get(json)
  if (facts === undefined) {
    facts = JSON.parse(json) as WorkerFacts
    if (knownFacts.size >= MOST_KNOWN_FACTS) knownFacts.clear()
    knownFacts.set(json, facts)
  }
  return facts
}

function text(bytes: Uint8Array, start: number, end: number): string {
  if (Buffer.isBuffer(bytes)) return bytes.toString('utf8', start, end)
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}
