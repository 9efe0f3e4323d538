import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../codec/byte-writer.ts'
import { decodeValueAt, encodeValue, encodeValueInto } from '../codec/value.ts'
import { ProtocolError } from '../errors/index.ts'
import {
  ActivationWriter,
  decodeActivation,
  encodeJobPrefix,
  readListInput,
  writeListInput,
} from './activation-message.ts'
import { InputKind, type JobHead, Outcome, PROTOCOL_VERSION } from './protocol.ts'
import {
  readFrames,
  writeEnded,
  writeHandedBack,
  writeLog,
  writeStarted,
  writeStorageRequests,
  writeWorkerFacts,
} from './reply-frames.ts'

const HEAD: JobHead = {
  lithopsVersion: '1.2.3',
  executorId: 'abc-0',
  jobId: 'M000',
  function: { name: 'f', hash: 'h', code: { kind: 'inline' }, env: { kind: 'inline' }, isNative: false },
  maxLogBytes: 100,
}

function activation(): Uint8Array {
  const prefix = encodeJobPrefix(HEAD, {
    code: Buffer.from('code'),
    env: Buffer.from('env'),
    extraArgs: encodeValue([1]),
  })
  const writer = new ActivationWriter(prefix, { handBackAfterMs: 25 })
  writer.call(7, 1, InputKind.value, out => encodeValueInto(out, 'seven'))
  writer.call(8, 0, InputKind.value, out => encodeValueInto(out, { n: 8 }))
  return writer.take()
}

describe('activation messages', () => {
  test('arrive as they were written', () => {
    const read = decodeActivation(activation())
    expect(read.head).toEqual(HEAD)
    expect(Buffer.from(read.code).toString()).toBe('code')
    expect(Buffer.from(read.env).toString()).toBe('env')
    expect(read.handBackAfterMs).toBe(25)
    expect(read.calls.map(({ callId, attempt }) => [callId, attempt])).toEqual([
      [7, 1],
      [8, 0],
    ])
    expect(read.calls.map(call => decodeValueAt(read.bytes, call.start, call.end))).toEqual([
      'seven',
      { n: 8 },
    ])
  })

  test('of another version name the command that updates the older side', () => {
    const bytes = activation()
    bytes[2] = PROTOCOL_VERSION + 1
    expect(() => decodeActivation(bytes)).toThrow(/lithops runtime update/)
  })

  test('that are cut anywhere or are something else are a ProtocolError', () => {
    const bytes = activation()
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeActivation(bytes.subarray(0, end)), `cut at ${end}`).toThrow(ProtocolError)
    }
    expect(() => decodeActivation(Buffer.from('GET / HTTP/1.1'))).toThrow(/not an activation message/)
  })

  test('list inputs', () => {
    const writer = new ByteWriter()
    writeListInput(writer, [
      { kind: InputKind.value, bytes: encodeValue('a') },
      { kind: InputKind.reference, bytes: Buffer.from('{}') },
    ])
    const bytes = writer.take()
    expect(readListInput(bytes, 0, bytes.length).map(part => part.kind)).toEqual([
      InputKind.value,
      InputKind.reference,
    ])
    expect(() => readListInput(bytes, 0, bytes.length - 1)).toThrow(ProtocolError)
  })
})

describe('reply frames', () => {
  function frames(): Uint8Array {
    const writer = new ByteWriter()
    const facts = { workerId: 'w', nodeVersion: 'v20', lithopsVersion: '1', coldStart: true, initMs: 5 }
    writeWorkerFacts(writer, facts)
    writeStarted(writer, 3, 1, 1000.5)
    writeLog(writer, 3, 1, 2, 'naïve')
    const end = { callId: 3, attempt: 1, outcome: Outcome.value, startedMs: 1, endedMs: 2, peakMemoryKib: 9 }
    expect(() =>
      writeEnded(writer, end, () => {
        throw new Error('cannot be written')
      }),
    ).toThrow('cannot be written')
    writeEnded(writer, end, out => encodeValueInto(out, [1, 2]))
    writeHandedBack(writer, 4, 0)
    writeStorageRequests(writer, { aws_s3: { writes: 2, reads: 1 } })
    return writer.take()
  }

  /** What a reader is told. */
  function read(bytes: Uint8Array): unknown[] {
    const seen: unknown[] = []
    readFrames(bytes, {
      started: (...args) => seen.push(['started', ...args]),
      ended: ({ callId, attempt, outcome, peakMemoryKib, bytes: all, start, end }) =>
        seen.push(['ended', callId, attempt, outcome, peakMemoryKib, decodeValueAt(all, start, end)]),
      log: (...args) => seen.push(['log', ...args]),
      handedBack: (...args) => seen.push(['handedBack', ...args]),
      worker: facts => seen.push(['worker', facts.workerId]),
      storageRequests: requests => seen.push(['storageRequests', requests]),
    })
    return seen
  }

  test('arrive in order; a body that cannot be written leaves nothing behind', () => {
    expect(read(frames())).toEqual([
      ['worker', 'w'],
      ['started', 3, 1, 1000.5],
      ['log', 3, 1, 2, 'naïve'],
      ['ended', 3, 1, Outcome.value, 9, [1, 2]],
      ['handedBack', 4, 0],
      ['storageRequests', { aws_s3: { writes: 2, reads: 1 } }],
    ])
  })

  test('of an unknown type are skipped', () => {
    expect(read(Buffer.from([99, 2, 0, 0, 0, 1, 2]))).toEqual([])
  })

  test('that are cut in the middle are a ProtocolError', () => {
    const bytes = frames()
    expect(() => read(bytes.subarray(0, bytes.length - 1))).toThrow(ProtocolError)
  })
})
