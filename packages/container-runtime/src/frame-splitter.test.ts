import { expect, test } from 'vitest'
import { FrameSplitter } from './frame-splitter.ts'

function frame(type: number, payload: string): Buffer {
  const head = Buffer.alloc(5)
  head[0] = type
  head.writeUInt32LE(Buffer.byteLength(payload), 1)
  return Buffer.concat([head, Buffer.from(payload)])
}

const large = 'x'.repeat(1000)
const reply = [frame(1, 'started'), frame(2, ''), frame(99, 'unknown'), frame(3, large)]
const body = Buffer.concat([
  reply[0] as Buffer,
  frame(6, ''),
  reply[1] as Buffer,
  reply[2] as Buffer,
  frame(6, ''),
  frame(6, ''),
  reply[3] as Buffer,
  frame(7, '{"ranMs":1}'),
])

test.each([1, 2, 3, 4, 5, 6, 7, 13, 100, 999, body.length])(
  'cut into pieces of %i bytes, whole frames come out',
  size => {
    const taken: Buffer[] = []
    const ends: string[] = []
    const splitter = new FrameSplitter({
      reply: frames => {
        // each piece is whole frames
        for (let at = 0; at < frames.length; at += 5 + Buffer.from(frames).readUInt32LE(at + 1))
          expect([1, 2, 3, 99]).toContain(frames[at])
        taken.push(Buffer.from(frames))
      },
      end: payload => ends.push(Buffer.from(payload).toString('utf8')),
    })
    for (let at = 0; at < body.length; at += size) splitter.push(body.subarray(at, at + size))
    expect(Buffer.concat(taken).equals(Buffer.concat(reply))).toBe(true)
    expect(ends).toEqual(['{"ranMs":1}'])
  },
)

test('what is not whole does not come out', () => {
  const taken: unknown[] = []
  const splitter = new FrameSplitter({ reply: frames => taken.push(frames), end: end => taken.push(end) })
  splitter.push(body.subarray(0, 6))
  splitter.push(frame(7, '{}').subarray(0, 3))
  expect(taken).toEqual([])
})
