import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FunctionExecutor, type ObjectPiece, objects } from '../../src/index.ts'

const module = join(import.meta.dirname, 'synthetic-storage.mjs')
const open = (synthetic: Record<string, number>, workers = 1) =>
  new FunctionExecutor({
    storage: module,
    config: { synthetic, localhost: { worker_processes: workers } },
    storages: ['synthetic'],
  })

interface Counters {
  readonly mostOpen: number
  readonly reads: number
  readonly cuts: number
}
const countersHere = () => ({ ...(globalThis as unknown as { synthetic: Counters }).synthetic })

test('a worker reads small objects of the next calls while one runs', async () => {
  await using fexec = open({ keys: 300, lines: 2, delay_ms: 10 })
  const source = objects('made-up/')
  const read = async (piece: ObjectPiece) => [piece.key, await piece.text()]
  const results = await fexec.getResult(fexec.map(read, source))
  expect(results).toHaveLength(300)
  for (const [key, text] of results) expect(text).toBe(`${key} line 0\n${key} line 1\n`)
  const { reads, mostOpen } = await fexec.callAsync(countersHere, undefined)
  expect(reads).toBe(300)
  expect(mostOpen).toBeGreaterThan(8)
  expect(mostOpen).toBeLessThanOrEqual(33)
})

test('what a function does not read is not read for it', async () => {
  await using fexec = open({ keys: 10_500, lines: 1 })
  const keys = await fexec.getResult(fexec.map(piece => piece.key, objects('made-up/')))
  expect(keys).toHaveLength(10_500)
  expect(new Set(keys).size).toBe(10_500)
  expect(await fexec.callAsync(countersHere, undefined)).toMatchObject({ reads: 0 })
})

test('an object that cannot be read fails its call alone, and is read again when the call is', async () => {
  await using fexec = open({ keys: 40, lines: 1 })
  const read = async (piece: ObjectPiece, context: { attempt: number }) => {
    const text = await piece.text()
    if (piece.key.endsWith('7') && context.attempt === 0) throw new Error(`first ${text}`)
    return text.length
  }
  expect(await fexec.getResult(fexec.map(read, objects('made-up/'), { retries: 1 }))).toHaveLength(40)
})

test('reads that are cut in the middle give every record once', async () => {
  const lines = 20_000
  await using fexec = open({ keys: 3, lines, cut_every: 10 })
  const count = async (piece: ObjectPiece) => {
    let n = 0
    for await (const batch of piece.lineBatches()) n += batch.length
    return n
  }
  const source = objects('made-up/', { chunkSize: '10kB' })
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0)
  const totals = await fexec.getResult(fexec.mapReduce(count, source, sum, { reduceBy: 'object' }))
  expect(totals).toEqual([lines, lines, lines])
  const { cuts } = await fexec.callAsync(countersHere, undefined)
  expect(cuts).toBeGreaterThan(0)
})

test('a listing that goes on for ever ends with its job', async () => {
  const fexec = open({ keys: Number.MAX_SAFE_INTEGER, lines: 1 }, 2)
  let seen = 0
  for await (const _ of fexec.map(piece => piece.part, objects('made-up/'))) if (++seen === 3000) break
  expect(seen).toBe(3000)
  await fexec.close()
})
