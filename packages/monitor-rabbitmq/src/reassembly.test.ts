import { expect, test } from 'vitest'
import { Reassembly } from './reassembly.ts'
import { headOf, type PieceHead, piecesOf, propertiesOf } from './worker/message.ts'

const job = { executorId: 'e-0', jobId: 'M000' }
const head = (count: number, piece = 0, pieces = 1, publisher = 'w'): PieceHead => ({
  job,
  publisher,
  count,
  piece,
  pieces,
})
const take = (reassembly: Reassembly, ...args: Parameters<typeof head>) => {
  const whole = reassembly.take(head(...args), Buffer.from(`${args.slice(0, 2).join('.')} `))
  return whole === undefined ? undefined : Buffer.from(whole).toString()
}

test('what comes again is dropped: redelivered by the broker, or published again by the worker', () => {
  const reassembly = new Reassembly()
  expect([0, 1, 0, 1, 2, 2].map(count => take(reassembly, count))).toEqual([
    '0 ',
    '1 ',
    undefined,
    undefined,
    '2 ',
    undefined,
  ])
  expect(take(reassembly, 0, 0, 1, 'another')).toBe('0.0 ')
})

test('pieces are put together, also when their worker had to begin again', () => {
  const reassembly = new Reassembly()
  const seen = [
    [0, 0, 3],
    [0, 1, 3],
    [0, 0, 3],
    [0, 1, 3],
    [0, 2, 3],
    [0, 0, 3],
    [1, 0, 1],
  ] as const
  expect(seen.map(([count, piece, pieces]) => take(reassembly, count, piece, pieces))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    '0.0 0.1 0.2 ',
    undefined,
    '1.0 ',
  ])
})

test('a message says whose it is, and messages of others are none', () => {
  const properties = propertiesOf(head(7, 1, 3))
  expect(headOf(properties as never)).toEqual(head(7, 1, 3))
  expect(headOf({ ...properties, type: 'other' } as never)).toBeUndefined()
  expect(headOf({ ...properties, messageId: 'x' } as never)).toBeUndefined()
  expect(headOf({ ...properties, correlationId: 'e-0' } as never)).toBeUndefined()
  expect(piecesOf(new Uint8Array(0)).map(piece => piece.length)).toEqual([0])
  expect(piecesOf(new Uint8Array(2_500_000)).map(piece => piece.length)).toEqual([1048576, 1048576, 402848])
})
