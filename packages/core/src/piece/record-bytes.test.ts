import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Newline } from './newline.ts'
import type { ObjectReader } from './object-reader.ts'
import { recordBytes } from './record-bytes.ts'
import { Flattened, lineBatches, recordBatches } from './records.ts'

/** An object in memory whose streams come in chunks of `chunkBytes`; remembers what was asked for. */
function memoryReader(bytes: Buffer, chunkBytes: number) {
  const requests: [number, number | undefined][] = []
  const reader: ObjectReader = {
    async *open(start, end) {
      requests.push([start, end])
      for (let at = start; at < Math.min(end ?? bytes.length, bytes.length); at += chunkBytes) {
        yield Buffer.from(bytes.subarray(at, Math.min(at + chunkBytes, end ?? bytes.length)))
      }
    },
  }
  return { reader, requests }
}

/** The records of an object, cut from the left: what all pieces together must give. */
function expectedRecords(bytes: Buffer, newline: Buffer): string[] {
  const records: string[] = []
  let begin = 0
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, begin)) {
    records.push(bytes.toString('latin1', begin, at))
    begin = at + newline.length
  }
  if (begin < bytes.length) records.push(bytes.toString('latin1', begin))
  return records
}

async function readPieces(bytes: Buffer, newline: Newline, pieceBytes: number, chunkBytes: number) {
  const records: string[] = []
  const all: Buffer[] = []
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const range = { start, end: Math.min(start + pieceBytes, bytes.length), size: bytes.length }
    const { reader } = memoryReader(bytes, chunkBytes)
    const read: Buffer[] = []
    for await (const chunk of recordBytes(reader, range, newline)) read.push(chunk)
    all.push(...read)
    const replay = (async function* () {
      yield* read
    })()
    for await (const batch of recordBatches(replay, newline)) {
      for (const record of batch) records.push(Buffer.from(record).toString('latin1'))
    }
  }
  return { records, all: Buffer.concat(all) }
}

/** Every text of up to `length` letters. */
function* texts(letters: string, length: number, text = ''): Generator<string> {
  yield text
  if (text.length < length) for (const letter of letters) yield* texts(letters, length, text + letter)
}

// '|' ends records; the others are letters of which some newlines are made too.
for (const [newline, letters, length] of [
  ['\n', 'a\n', 8],
  ['\r\n', 'a\r\n', 6],
  ['aa', 'ab', 9],
  ['aba', 'ab', 9],
  ['abab', 'ab', 9],
] as const) {
  test(`every object of up to ${length} of ${JSON.stringify(letters)}, cut at ${JSON.stringify(newline)} in pieces of every size`, async () => {
    const mark = new Newline(Buffer.from(newline))
    for (const text of texts(letters, length)) {
      const bytes = Buffer.from(text)
      const expected = expectedRecords(bytes, mark.bytes)
      for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
        const chunkBytes = 1 + (pieceBytes % 3)
        const { records, all } = await readPieces(bytes, mark, pieceBytes, chunkBytes)
        if (!all.equals(bytes) || records.join('|') !== expected.join('|')) {
          expect({ text, pieceBytes, chunkBytes, records }).toEqual({
            text,
            pieceBytes,
            chunkBytes,
            records: expected,
          })
        }
      }
    }
  })
}

test('any bytes, any newline, any sizes of pieces and of chunks', async () => {
  const byte = fc.constantFrom(0x0a, 0x0d, 0x61, 0x62, 0xc3, 0xa9, 0xff, 0x00)
  await fc.assert(
    fc.asyncProperty(
      fc.array(byte, { maxLength: 200 }),
      fc.array(byte, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      async (content, mark, pieceBytes, chunkBytes) => {
        const bytes = Buffer.from(content)
        const newline = new Newline(Buffer.from(mark))
        const { records, all } = await readPieces(bytes, newline, pieceBytes, chunkBytes)
        expect(all.equals(bytes)).toBe(true)
        expect(records).toEqual(expectedRecords(bytes, newline.bytes))
      },
    ),
    { numRuns: 2000 },
  )
})

test('records longer than a piece, than what is read ahead, and than the requests that follow', async () => {
  const long = (letter: string, length: number) => letter.repeat(length)
  const lines = [
    long('a', 5),
    long('b', 300_000),
    '',
    long('c', 17_000),
    long('d', 10),
    long('e', 2_000_000),
    'f',
  ]
  const bytes = Buffer.from(lines.join('\n'))
  for (const pieceBytes of [1_000, 16_384, 65_536, 100_001, 5_000_000]) {
    const { records } = await readPieces(bytes, new Newline(Buffer.from('\n')), pieceBytes, 65_536)
    expect(records).toEqual(lines)
  }
})

test('an object of nothing but overlapping newlines is counted from its beginning', async () => {
  const bytes = Buffer.from('\n'.repeat(10_001))
  const newline = new Newline(Buffer.from('\n\n'))
  const { records } = await readPieces(bytes, newline, 997, 4096)
  expect(records).toEqual(expectedRecords(bytes, newline.bytes))
})

test('a piece asks for its range and little more', async () => {
  const bytes = Buffer.from('0123456789abcdef\n'.repeat(100_000))
  const { reader, requests } = memoryReader(bytes, 65_536)
  let read = 0
  for await (const chunk of recordBytes(
    reader,
    { start: 500_000, end: 700_000, size: bytes.length },
    new Newline(Buffer.from('\n')),
  )) {
    read += chunk.length
  }
  expect(Math.abs(read - 200_000)).toBeLessThan(18)
  expect(requests).toEqual([[499_999, 716_384]])
})

test('lines are split as text only where that gives what splitting bytes gives', async () => {
  const cases: [string | Buffer, Buffer][] = [
    ['\n', Buffer.from('é\nü\r\n\r\nlast\r')],
    ['é', Buffer.concat([Buffer.from('aéb'), Buffer.from([0xc3, 0xc3, 0xa9, 0xff]), Buffer.from('€é')])],
    [Buffer.from([0xa9]), Buffer.from('aéb')],
    [Buffer.from('\ufffd'), Buffer.concat([Buffer.from('a\ufffdb'), Buffer.from([0xff]), Buffer.from('c')])],
  ]
  for (const [mark, bytes] of cases) {
    const newline = new Newline(Buffer.from(mark))
    const expected = expectedRecords(bytes, newline.bytes)
      .map(record => Buffer.from(record, 'latin1').toString('utf8'))
      .map(line => (mark === '\n' ? line.replace(/\r$/, '') : line))
    for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
      const chunks = memoryReader(bytes, chunkBytes).reader.open(0, undefined) as AsyncIterable<Buffer>
      const lines: string[] = []
      for await (const line of new Flattened(lineBatches(chunks, newline))) lines.push(line)
      expect(lines).toEqual(expected)
    }
  }
})
