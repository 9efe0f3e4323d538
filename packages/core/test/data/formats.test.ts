import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { FunctionExecutor, objects, parquet } from '../../src/index.ts'
import { decompressed } from '../../src/piece/decompress.ts'

const root = mkdtempSync(join(tmpdir(), 'lithops-test-formats-'))
const fexec = new FunctionExecutor({ storage: 'storageless', localhost: { worker_processes: 2 } })
afterAll(async () => {
  await fexec.close()
  rmSync(root, { recursive: true, force: true })
})

test('Parquet: a piece per row group, or groups gathered; columns, no rows, and files that are none', async () => {
  const ids = Array.from({ length: 1000 }, (_, i) => i)
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: ids, type: 'INT32' },
      { name: 'name', data: ids.map(id => `name ${id}`), type: 'STRING' },
    ],
    rowGroupSize: 100,
  })
  const file = join(root, 'a.parquet')
  await writeFile(file, Buffer.from(bytes))
  const read = (source: ReturnType<typeof parquet<{ id: number; name: string }>>) =>
    fexec.getResult(
      fexec.map(async piece => {
        const rows: string[] = []
        for await (const row of piece.rows()) rows.push(`${row.id} ${row.name}`)
        return rows
      }, source),
    )
  const expected = ids.map(id => `${id} name ${id}`)
  for (const [options, count] of [
    [{}, 10],
    [{ chunkNumber: 3 }, 3],
    [{ chunkNumber: 100 }, 10],
    [{ chunkSize: '1GB' }, 1],
    [{ chunkSize: 1 }, 10],
  ] as const) {
    const pieces = await read(parquet(file, options))
    expect(pieces).toHaveLength(count)
    expect(pieces.flat()).toEqual(expected)
  }
  expect((await read(parquet(file, { columns: ['id'] }))).flat()[7]).toBe('7 undefined')
  const none = join(root, 'none.parquet')
  await writeFile(
    none,
    Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'id', data: [], type: 'INT32' }] })),
  )
  expect(await read(parquet(none))).toEqual([[]])
  const bad = join(root, 'bad.parquet')
  await writeFile(bad, 'not a table')
  await expect(read(parquet(bad))).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_DAMAGED' })
})

test('gzip of several members, and damaged gzip', async () => {
  const file = join(root, 'members.gz')
  const members = Buffer.concat([zlib.gzipSync('one\n'), zlib.gzipSync('two\n'), zlib.gzipSync('')])
  await writeFile(file, members)
  const text = (path: string) => fexec.getResult(fexec.map(piece => piece.text(), objects(path)))
  expect(await text(file)).toEqual(['one\ntwo\n'])
  const cut = join(root, 'cut.gz')
  await writeFile(cut, zlib.gzipSync('x'.repeat(100_000)).subarray(0, 60))
  await expect(text(cut)).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_DAMAGED' })
})

/** zstd of Node itself, where it has it; else of the zstd program. */
function zstd(bytes: Buffer, name: string): Buffer | undefined {
  const node = zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }
  if (node.zstdCompressSync !== undefined) return node.zstdCompressSync(bytes)
  const file = join(root, name)
  try {
    execFileSync('zstd', ['-q', '-f', '-o', `${file}.out`, '-'], { input: bytes })
    return readFileSync(`${file}.out`)
  } catch {
    return undefined
  }
}

// printf 'hello, world!' | zstd, for machines without it.
const SMALL_FRAME = Buffer.from('KLUv/QRYaQAAaGVsbG8sIHdvcmxkIZ4lnmk=', 'base64')

test('zstd, by frames and in any chunks', async context => {
  const random = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24))
  const frame = zstd(random, 'random')
  if (frame === undefined) context.skip('real part missing: zstd (the program, or a Node that has it)')
  const both = Buffer.concat([frame as Buffer, frame as Buffer])
  for (const chunkBytes of [1000, 65_536, both.length]) {
    const out: Buffer[] = []
    const chunks = (async function* () {
      for (let at = 0; at < both.length; at += chunkBytes) yield both.subarray(at, at + chunkBytes)
    })()
    for await (const chunk of decompressed(chunks, 'zstd', 'x')) out.push(chunk)
    expect(Buffer.concat(out).equals(Buffer.concat([random, random]))).toBe(true)
  }
  const cut = (async function* () {
    yield both.subarray(0, (frame as Buffer).length - 100)
  })()
  await expect(
    (async () => {
      for await (const _ of decompressed(cut, 'zstd', 'cut.zst'));
    })(),
  ).rejects.toMatchObject({ code: 'LITHOPS_OBJECT_DAMAGED' })
})

test('zstd that is kept here is read in workers', async () => {
  const file = join(root, 'hello.zst')
  await writeFile(file, SMALL_FRAME)
  expect(await fexec.getResult(fexec.map(piece => piece.text(), objects(file)))).toEqual(['hello, world!'])
})
