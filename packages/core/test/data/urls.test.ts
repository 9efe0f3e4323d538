import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FunctionExecutor, type ObjectPiece, objects } from '../../src/index.ts'
import { WebServer } from './web-server.ts'

const LINES = Array.from({ length: 5000 }, (_, i) => `line ${i} ${'é'.repeat(i % 40)}`)
const body = Buffer.from(LINES.join('\n'))
const fexec = new FunctionExecutor({ storage: 'storageless', localhost: { worker_processes: 2 } })
let web: WebServer

beforeAll(async () => {
  web = await WebServer.start()
})
afterAll(async () => {
  await fexec.close()
  await web.close()
})

const readLines = async (piece: ObjectPiece) => {
  const lines: string[] = []
  for await (const line of piece.lines()) lines.push(line)
  return { part: piece.part, totalParts: piece.totalParts, size: piece.size, lines }
}

test('servers with ranges give pieces, whatever they say of themselves', async () => {
  for (const [path, options] of Object.entries({
    '/plain.log': {},
    '/no-head.log': { head: false },
    '/weak.log': { etag: 'weak' },
    '/no-etag.log': { etag: 'none' },
  } as const)) {
    web.files.set(path, { body, ...options })
    const pieces = await fexec.getResult(
      fexec.map(readLines, objects(web.url(`${path}?a=1`), { chunkSize: '50kB' })),
    )
    expect(pieces.length).toBe(Math.ceil(body.length / 50_000))
    expect(pieces.map(piece => piece.part)).toEqual(pieces.map((_, i) => i))
    expect(pieces.flatMap(piece => piece.lines)).toEqual(LINES)
  }
})

test('servers without ranges give whole pieces, also of unknown length', async () => {
  web.files.set('/whole.log', { body, ranges: false })
  web.files.set('/unknown.log', { body, ranges: false, chunked: true })
  web.files.set('/zipped.log.gz', { body: gzipSync(body) })
  web.files.set('/empty.log', { body: Buffer.alloc(0) })
  const names = ['/whole.log', '/unknown.log', '/zipped.log.gz', '/empty.log']
  const pieces = await fexec.getResult(
    fexec.map(
      readLines,
      objects(
        names.map(name => web.url(name)),
        { chunkSize: 1000 },
      ),
    ),
  )
  expect(pieces.map(piece => piece.totalParts)).toEqual([1, 1, 1, 1])
  expect(pieces.map(piece => piece.size)).toEqual([body.length, undefined, expect.any(Number), 0])
  expect(pieces.map(piece => piece.lines.length)).toEqual([5000, 5000, 5000, 0])
})

test('what breaks in the middle is read on from there; what is refused for a while is asked again', async () => {
  web.files.set('/cut.log', { body, cutEvery: 2 })
  web.files.set('/busy.log', { body, refuse: { status: 503, times: 2, retryAfter: '0' } })
  const source = objects([web.url('/cut.log'), web.url('/busy.log')], { chunkSize: '100kB' })
  const pieces = await fexec.getResult(fexec.map(readLines, source))
  expect(pieces.flatMap(piece => piece.lines)).toEqual([...LINES, ...LINES])
})

test('another content than the one that was found is an error, not a mixture', async () => {
  for (const [path, etag] of [
    ['/changed-strong.log', 'strong'],
    ['/changed-weak.log', 'weak'],
  ] as const) {
    web.files.set(path, { body, etag })
    const pieces: ObjectPiece[] = []
    for await (const piece of fexec.partition(objects(web.url(path), { chunkNumber: 2 }))) pieces.push(piece)
    const other = Buffer.from(body)
    other[5] = 0x21
    web.files.set(path, { body: other, etag })
    await expect(fexec.getResult(fexec.map(readLines, pieces))).rejects.toMatchObject({
      name: 'StorageError',
      code: 'LITHOPS_OBJECT_CHANGED',
    })
  }
})

test('errors name the URL without what may be secret in it', async () => {
  const url = web.url('/nothing.log?signature=hush#hush')
  const failure = await fexec.getResult(fexec.map(readLines, objects(url))).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'LITHOPS_OBJECT_NOT_FOUND' })
  expect(JSON.stringify([String(failure), failure])).not.toContain('hush')
  expect(String(failure)).toContain('/nothing.log')
  await expect(fexec.getResult(fexec.map(readLines, objects('http://127.0.0.1:1/x')))).rejects.toMatchObject({
    code: 'LITHOPS_STORAGE',
    isRetryable: true,
  })
  await expect(fexec.getResult(fexec.map(readLines, objects('bucket/x')))).rejects.toMatchObject({
    code: 'LITHOPS_STORAGELESS',
  })
})
