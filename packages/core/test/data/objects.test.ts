import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import type { StorageDriver } from '../../src/driver/index.ts'
import {
  csv,
  FunctionExecutor,
  jsonLines,
  type ObjectPiece,
  type ObjectSource,
  objects,
  type Storage,
  type TablePiece,
} from '../../src/index.ts'
import { localhostStorageDriver } from '../../src/localhost/localhost-storage.ts'

const root = mkdtempSync(join(tmpdir(), 'lithops-test-objects-'))
/** The localhost storage in a folder of this test's own. */
const driver: StorageDriver = {
  specVersion: 1,
  name: 'localhost',
  create: (config, context) =>
    localhostStorageDriver.create({ ...config, root: join(root, 'storage') }, context),
}

const LINES = Array.from({ length: 1000 }, (_, i) => `line ${i} ${'x'.repeat(i % 50)}`)
const LOG = LINES.join('\n')
const fexec = new FunctionExecutor({ storage: driver, localhost: { worker_processes: 2 } })
let storage: Storage

beforeAll(async () => {
  storage = await fexec.storage()
  await storage.createBucket('data')
  const put = (key: string, value: string | Uint8Array) => storage.put(key, value, { bucket: 'data' })
  await put('logs/2024/a.log', LOG)
  await put('logs/2024/b.log', 'one\r\ntwo\r\nthree')
  await put('logs/2025/c.log', '')
  await put('logs/2025/c.txt', 'not a log')
  await put('logs/a [1]*.log', 'odd key')
  await put('logs/2024/', '')
  await put('zipped.log.gz', gzipSync(LOG))
  await put('value.json', '\ufeff{"answer": 42}')
})

afterAll(async () => {
  await fexec.close()
  rmSync(root, { recursive: true, force: true })
})

const namesOf = async (source: ReturnType<typeof objects>) => {
  const names: string[] = []
  for await (const piece of fexec.partition(source))
    names.push(`${piece.name} ${piece.part}/${piece.totalParts}`)
  return names
}

describe('what a source names', () => {
  test('a key, a prefix, a folder without its slash, a pattern, a bucket, and lists of these', async () => {
    expect(await namesOf(objects('data/logs/2024/a.log'))).toEqual(['data/logs/2024/a.log 0/1'])
    const of2024 = ['data/logs/2024/a.log 0/1', 'data/logs/2024/b.log 0/1']
    expect(await namesOf(objects('data/logs/2024/'))).toEqual(of2024)
    expect(await namesOf(objects('data/logs/2024'))).toEqual(of2024)
    expect(await namesOf(objects('data/logs/**/*.log'))).toEqual([
      ...of2024,
      'data/logs/2025/c.log 0/1',
      'data/logs/a [1]*.log 0/1',
    ])
    expect(await namesOf(objects('data/logs/{2024,2025}/[bc].*'))).toEqual([
      'data/logs/2024/b.log 0/1',
      'data/logs/2025/c.log 0/1',
      'data/logs/2025/c.txt 0/1',
    ])
    expect(await namesOf(objects('data'))).toHaveLength(7)
    expect(
      await namesOf(
        objects([
          'localhost://data/value.json',
          { bucket: 'data', key: 'logs/a [1]*.log' },
          'data/logs/2025/',
        ]),
      ),
    ).toEqual([
      'localhost://data/value.json 0/1',
      'data/logs/a [1]*.log 0/1',
      'data/logs/2025/c.log 0/1',
      'data/logs/2025/c.txt 0/1',
    ])
  })

  test('pieces of a size or a number, by source or by map, never of what is compressed', async () => {
    const size = Buffer.byteLength(LOG)
    const pieces: ObjectPiece[] = []
    for await (const piece of fexec.partition(objects('data/logs/2024/a.log', { chunkNumber: 3 })))
      pieces.push(piece)
    expect(pieces.map(piece => piece.byteRange)).toEqual([
      { start: 0, end: Math.ceil(size / 3) },
      { start: Math.ceil(size / 3), end: expect.any(Number) },
      { start: expect.any(Number), end: size },
    ])
    expect(pieces[1]).toMatchObject({ bucket: 'data', key: 'logs/2024/a.log', part: 1, totalParts: 3, size })
    const nested = objects([
      'data/zipped.log.gz',
      objects('data/logs/2024/a.log', { chunkNumber: 2 }),
      'data/value.json',
    ])
    const parts: string[] = []
    for await (const piece of fexec.partition(nested, { objChunkSize: '5B' }))
      parts.push(`${piece.key} ${piece.totalParts}`)
    expect(parts).toEqual([
      'zipped.log.gz 1',
      ...Array(2).fill('logs/2024/a.log 2'),
      ...Array(4).fill('value.json 4'),
    ])
  })

  test('files, folders and patterns of this machine', async () => {
    const folder = join(root, 'files')
    await mkdir(join(folder, 'sub'), { recursive: true })
    await writeFile(join(folder, 'a.txt'), 'a')
    await writeFile(join(folder, 'sub', 'b.txt'), 'b')
    await writeFile(join(folder, 'sub', 'b.md'), 'b')
    await symlink(folder, join(folder, 'sub', 'loop'))
    const local = (names: string[]) => names.map(name => `${join(folder, name)} 0/1`)
    expect(await namesOf(objects(folder))).toEqual(local(['a.txt', 'sub/b.md', 'sub/b.txt']))
    expect(await namesOf(objects(`${folder}/**/*.txt`))).toEqual(local(['a.txt', 'sub/b.txt']))
    expect(await namesOf(objects(new URL(`file://${folder}/a.txt`)))).toEqual(local(['a.txt']))
    expect(await fexec.getResult(fexec.map(piece => piece.text(), objects(`${folder}/`)))).toEqual([
      'a',
      'b',
      'b',
    ])
  })

  test('what is not there is an error that says what to write, unless it may be empty', async () => {
    await expect(namesOf(objects('data/nothing/*.gz'))).rejects.toMatchObject({
      code: 'LITHOPS_OBJECT_NOT_FOUND',
    })
    await expect(namesOf(objects('data/nothing.txt'))).rejects.toThrow("write './data/nothing.txt'")
    await expect(namesOf(objects({ bucket: 'data', key: 'nothing' }))).rejects.toThrow('no object')
    await expect(namesOf(objects('no-such-bucket/'))).rejects.toMatchObject({
      code: 'LITHOPS_OBJECT_NOT_FOUND',
    })
    await expect(namesOf(objects(join(root, 'nowhere')))).rejects.toThrow('no such file')
    expect(await namesOf(objects('data/nothing/', { allowEmpty: true }))).toEqual([])
    await expect(fexec.getResult(fexec.map(piece => piece.key, objects('data/nothing/')))).rejects.toThrow(
      'no object',
    )
  })

  test('addresses and options that are wrong are refused at once', () => {
    for (const [from, options, message] of [
      ['', {}, 'empty'],
      ['s3://', {}, 'names no bucket'],
      ['da*/x', {}, 'pattern in the bucket'],
      [{ bucket: 'data' }, {}, '`bucket` and `key`'],
      [[], {}, 'list of a source is empty'],
      ['https://user:secret@host/x', {}, 'user or a password'],
      ['data/', { chunkSize: '64XB' }, "not '64XB'"],
      ['data/', { chunkSize: 0 }, 'not 0'],
      ['data/', { chunkSize: 1, chunkNumber: 1 }, 'not both'],
      ['data/', { chunk_size: 1 }, 'is called chunkSize here'],
      ['data/', { newline: '' }, 'newline must be'],
      ['data/', { compression: 'zip' }, "not 'zip'"],
    ] as const) {
      expect(() => objects(from as never, options as never), message).toThrow(message)
    }
    expect(() => objects('https://user:secret@host/x')).not.toThrow('secret')
    expect(() => fexec.map(() => 1, [1], { objChunkSize: '1MB' })).toThrow('objects(...)')
    expect(() => fexec.map(() => 1, objects('data/'), { objChunkSize: 'x' })).toThrow('objChunkSize must be')
    expect(() => objects('data/')[Symbol.asyncIterator]()).toThrow('partition()')
  })
})

describe('what a function reads', () => {
  test('its piece as lines, text, bytes, stream and JSON, decompressed, by whole records', async () => {
    const read = async (piece: ObjectPiece) => {
      const lines: string[] = []
      for await (const line of piece.lines()) lines.push(line)
      return lines
    }
    for (const options of [{}, { chunkSize: 1000 }, { chunkSize: 70 }, { chunkNumber: 7 }]) {
      const source = objects(['data/logs/2024/a.log', 'data/zipped.log.gz'], options)
      const lines = (await fexec.getResult(fexec.map(read, source))).flat()
      expect(lines).toEqual([...LINES, ...LINES])
    }
    expect(await fexec.getResult(fexec.map(read, objects('data/logs/*/[bc].log')))).toEqual([
      ['one', 'two', 'three'],
      [],
    ])
    expect(
      await fexec.getResult(fexec.map(piece => piece.json<{ answer: number }>(), objects('data/value.json'))),
    ).toEqual([{ answer: 42 }])
    const texts = await fexec.getResult(
      fexec.map(piece => piece.text(), objects('data/logs/2024/a.log', { chunkSize: 100 })),
    )
    expect(texts.join('')).toBe(LOG)
    expect(texts.every(text => text === '' || text.endsWith('\n') || LOG.endsWith(text))).toBe(true)
    const exact = await fexec.getResult(
      fexec.map(
        async piece => (await piece.bytes()).length,
        objects('data/logs/2024/a.log', { chunkSize: 100, newline: null }),
      ),
    )
    expect(Math.max(...exact)).toBeLessThanOrEqual(100)
    expect(exact.reduce((sum, n) => sum + n)).toBe(Buffer.byteLength(LOG))
    const stored = await fexec.getResult(
      fexec.map(async piece => {
        let size = 0
        for await (const chunk of piece.stream({ decompress: false })) size += (chunk as Buffer).length
        return size === piece.size
      }, objects('data/zipped.log.gz')),
    )
    expect(stored).toEqual([true])
  })

  test('what a piece cannot give is an error that says why', async () => {
    const cut = objects('data/logs/2024/a.log', { chunkNumber: 2 })
    await expect(fexec.getResult(fexec.map(piece => piece.json(), cut))).rejects.toMatchObject({
      code: 'LITHOPS_PIECE_NOT_WHOLE',
    })
    const exact = objects('data/logs/2024/a.log', { chunkNumber: 2, newline: null })
    await expect(
      fexec.getResult(fexec.map(async piece => void (await piece.lines().next()), exact)),
    ).rejects.toThrow('newline: null')
    const lie = objects('data/logs/2024/a.log', { compression: 'gzip' })
    await expect(fexec.getResult(fexec.map(piece => piece.text(), lie))).rejects.toMatchObject({
      name: 'StorageError',
      code: 'LITHOPS_OBJECT_DAMAGED',
    })
  })

  test('an object that changed since it was found is an error', async () => {
    await storage.put('changing', 'before', { bucket: 'data' })
    const pieces: ObjectPiece[] = []
    for await (const piece of fexec.partition(objects('data/changing', { chunkNumber: 2 })))
      pieces.push(piece)
    await storage.put('changing', 'after!', { bucket: 'data' })
    await expect(fexec.getResult(fexec.map(piece => piece.text(), pieces))).rejects.toMatchObject({
      code: 'LITHOPS_OBJECT_CHANGED',
    })
    await storage.delete('changing', { bucket: 'data' })
  })

  test('one reducer per object, of a source and of an array of pieces', async () => {
    const count = async (piece: ObjectPiece) => {
      let n = 0
      for await (const batch of piece.lineBatches()) n += batch.length
      return n
    }
    const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)
    const source = objects('data/logs/202?/*.log', { chunkSize: 500 })
    expect(await fexec.mapReduce(count, source, sum)).toBe(1003)
    const reducers = fexec.mapReduce(count, source, sum, { reduceBy: 'object' })
    const byKey = new Map<unknown, number>()
    for await (const reducer of reducers) byKey.set(reducers.keyOf(reducer), await reducer.result())
    const expected = new Map([
      ['data/logs/2024/a.log', 1000],
      ['data/logs/2024/b.log', 3],
      ['data/logs/2025/c.log', 0],
    ])
    expect(byKey).toEqual(expected)
    const again = fexec.mapReduce(count, source, sum, { reduceBy: 'object', fanIn: 4 })
    expect(await fexec.getResult(again)).toEqual([1000, 3, 0])
    expect(again.groupKeys).toEqual([...expected.keys()])
    const byYear = fexec.mapReduce(count, source, sum, { reduceBy: piece => piece.key.split('/')[1] })
    expectTypeOf(byYear.groupKeys).toEqualTypeOf<(string | undefined)[]>()
    expect(await fexec.getResult(byYear)).toEqual([1003, 0])
    const pieces: ObjectPiece[] = []
    for await (const piece of fexec.partition(source)) pieces.push(piece)
    const grouped = fexec.mapReduce(count, pieces, sum, { reduceBy: 'object' })
    expect(await fexec.getResult(grouped)).toEqual([1000, 3, 0])
    expect(grouped.groupKeys).toEqual([...expected.keys()])
  })

  test('a source of many objects feeds reducers while it is listed; a failed object fails its reducer alone', async () => {
    const keys = Array.from({ length: 3000 }, (_, i) => i)
    const reducers = fexec.mapReduce(
      (n: number) => {
        if (n === 1234) throw new RangeError('odd one')
        return n
      },
      (function* () {
        yield* keys
      })(),
      (values: number[]) => values.length,
      { reduceBy: n => n % 1500 },
    )
    let good = 0
    let bad = 0
    for await (const reducer of reducers) reducer.state === 'success' ? good++ : bad++
    expect([good, bad]).toEqual([1499, 1])
  })
})

describe('rows', () => {
  test('of JSON lines', async () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, text: 'é'.repeat(id) }))
    await storage.put('rows.jsonl', rows.map(row => `${JSON.stringify(row)}\n`).join('\n'), {
      bucket: 'data',
    })
    const source = jsonLines<{ id: number; text: string }>('data/rows.jsonl', { chunkSize: 300 })
    const read = await fexec.getResult(
      fexec.map(async piece => {
        const ids: number[] = []
        for await (const row of piece.rows()) ids.push(row.id)
        return ids
      }, source),
    )
    expect(read.length).toBeGreaterThan(10)
    expect(read.flat()).toEqual(rows.map(row => row.id))
    await storage.put('bad.jsonl', '{"a":1}\n{oops\n', { bucket: 'data' })
    await expect(
      fexec.getResult(
        fexec.map(async piece => {
          for await (const _ of piece.rows());
        }, jsonLines('data/bad.jsonl')),
      ),
    ).rejects.toThrow('data/bad.jsonl, part 0, line 2 is not JSON')
  })

  test('of CSV: the header is known in every piece, columns have types, rows are counted once', async () => {
    const lines = Array.from(
      { length: 500 },
      (_, i) => `${i},"name, ${i}",${i % 3 === 0 ? '' : i / 2},${i % 2 === 0}`,
    )
    const text = `\ufeff# made by a test\r\n\r\nid,name,price,even\r\n${lines.join('\r\n')}`
    await storage.put('rows.csv', text, { bucket: 'data' })
    for (const chunkNumber of [1, 2, 3, 10, 200]) {
      const typed = csv('data/rows.csv', {
        chunkNumber,
        comment: '#',
        columns: { id: 'number', price: 'number?', even: 'boolean' },
      })
      const rows = await fexec.getResult(
        fexec.map(async piece => {
          const found: [number, number | undefined, boolean][] = []
          for await (const { id, price, even } of piece.rows()) found.push([id, price, even])
          return found
        }, typed),
      )
      expect(rows.flat()).toEqual(lines.map((_, i) => [i, i % 3 === 0 ? undefined : i / 2, i % 2 === 0]))
    }
    expectTypeOf(csv('data/rows.csv')).toEqualTypeOf<ObjectSource<TablePiece<Record<string, string>>>>()
    expectTypeOf(csv('data/rows.csv', { header: false })).toEqualTypeOf<ObjectSource<TablePiece<string[]>>>()
    const first = await fexec.getResult(
      fexec.map(
        async piece => (await piece.rows().next()).value,
        csv<{ name: string }>('data/rows.csv', { comment: '#' }),
      ),
    )
    expect(first).toEqual([{ id: '0', name: 'name, 0', price: '', even: 'true' }])
  })

  test('of CSV with newlines in quotes: whole on request, else an error where a piece would cut one', async () => {
    const text = `a,b\n${Array.from({ length: 50 }, (_, i) => `${i},"first\nsecond\nthird ${i}"`).join('\n')}\n`
    await storage.put('quoted.csv', text, { bucket: 'data' })
    const count = async (piece: { rows(): AsyncIterable<unknown> }) => {
      let n = 0
      for await (const _ of piece.rows()) n++
      return n
    }
    expect(await fexec.getResult(fexec.map(count, csv('data/quoted.csv', { quotedNewlines: true })))).toEqual(
      [50],
    )
    for (const chunkNumber of [2, 3, 7, 20, 31]) {
      const counts = fexec.map(count, csv('data/quoted.csv', { chunkNumber }))
      await fexec.getResult(counts).then(
        numbers => expect(numbers.reduce((a, b) => a + b, 0)).toBe(50),
        error => expect(error).toMatchObject({ code: 'LITHOPS_ROW' }),
      )
    }
    await expect(
      fexec.getResult(fexec.map(count, csv('data/quoted.csv', { chunkNumber: 20 }))),
    ).rejects.toThrow(/quotedNewlines: true|rows|quote|columns/i)
    await storage.put('bad.csv', 'a,b\n1,2\nx,3\n', { bucket: 'data' })
    await expect(
      fexec.getResult(fexec.map(count, csv('data/bad.csv', { columns: { a: 'number' } }))),
    ).rejects.toThrow("data/bad.csv, part 0 of 1: column 'a' has 'x', which is no number")
    await expect(
      fexec.getResult(fexec.map(count, csv('data/bad.csv', { columns: { c: 'number' } }))),
    ).rejects.toThrow("there is no column 'c'; there are: a, b")
  })
})
