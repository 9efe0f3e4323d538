import { randomBytes } from 'node:crypto'
import { InvocationError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import {
  ANY_INDICES,
  batchesOn,
  isEnded,
  pass,
  ScriptedPlatform,
  stopTime,
  until,
} from './scripted-array-platform.ts'

// Which activations make a run, and when.

const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i)

test('activations that come together are one run, and each index has its own message', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const { sendAll } = batchesOn(platform)
  const sent = sendAll(12)
  const run = await platform.run(0)
  expect(run.start).toMatchObject({ indices: range(12), first: 0, place: { jobName: 'job' } })
  expect(await run.messages()).toEqual(Object.fromEntries(range(12).map(call => [call, `call ${call}`])))
  run.succeeded.push(...range(12))
  await until(() => sent.every(isEnded))
  expect(sent.map(({ report }) => report)).toEqual(range(12).map(i => ({ requestId: `${run.name}/${i}` })))
  await until(() => run.isRemoved)
  expect([run.removals, platform.starts]).toEqual([1, 1])
})

test('no more run at once than maxWorkers; the next run begins when a quarter of them is free', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const { sendAll } = batchesOn(platform, { maxWorkers: 8 })
  const sent = sendAll(20)
  const first = await platform.run(0)
  expect(first.start.indices).toEqual(range(8))
  first.running.set(7, undefined)
  first.succeeded.push(0)
  await until(() => isEnded(sent[0] ?? expect.fail()))
  await pass(20_000)
  expect(platform.runs).toHaveLength(1)
  first.succeeded.push(1)
  const second = await platform.run(1)
  expect(second.start.indices).toEqual([0, 1])
  expect(await second.messages()).toEqual({ 0: 'call 8', 1: 'call 9' })
  first.isOver = true
  first.succeeded.push(...range(8))
  const third = await platform.run(2)
  expect(third.start.indices).toHaveLength(6)
  for (let ended = 1; !sent.every(isEnded); ) {
    await until(() => platform.runs.length > ended || sent.every(isEnded))
    for (const run of platform.runs.slice(ended)) run.succeeded.push(...run.start.indices)
    ended = platform.runs.length
  }
  expect(sent.filter(({ report }) => report === undefined)).toEqual([])
})

test('each job of core has runs of its own, and each has its turn', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const { send } = batchesOn(platform, { maxWorkers: 4 })
  for (const call of range(4)) send(call, { jobId: 'M000' })
  for (const call of range(2)) send(call, { jobId: 'M001' })
  const first = await platform.run(0)
  expect(first.start).toMatchObject({ mark: expect.stringMatching(/^e-M000/), indices: range(4) })
  first.succeeded.push(0)
  const second = await platform.run(1)
  expect(second.start).toMatchObject({ mark: expect.stringMatching(/^e-M001/), indices: [0] })
})

test('a run has no more instances than the platform lets', async () => {
  stopTime()
  const platform = new ScriptedPlatform({ indices: 5 })
  batchesOn(platform).sendAll(12)
  await platform.run(2)
  expect(platform.runs.map(({ start }) => start.indices.length).sort()).toEqual([2, 5, 5])
})

test('what is too large when it is packed is several runs, and nothing of it is lost', async () => {
  stopTime()
  const platform = new ScriptedPlatform({ packedCharacters: 20_000 })
  const { send } = batchesOn(platform)
  // each takes some 5,400 characters that no packing makes fewer
  const texts = range(8).map(() => randomBytes(2_000).toString('hex'))
  const sent = texts.map((message, call) => send(call, { message }))
  await until(() => platform.runs.reduce((sum, { start }) => sum + start.indices.length, 0) === 8)
  const messages = await Promise.all(platform.runs.map(run => run.messages()))
  expect(platform.runs.length).toBeGreaterThan(1)
  for (const { start } of platform.runs) expect(start.packed.length).toBeLessThan(20_000)
  expect(messages.flatMap(one => Object.values(one)).sort()).toEqual(texts.sort())
  for (const run of platform.runs) run.succeeded.push(...run.start.indices)
  await until(() => sent.every(isEnded))
})

test('one activation that is too large alone is a run all the same', async () => {
  stopTime()
  const platform = new ScriptedPlatform({ packedCharacters: 100 })
  batchesOn(platform).send(0, { message: randomBytes(500).toString('hex') })
  expect((await platform.run(0)).start.indices).toEqual([0])
})

test('failed indices run again by exactly those indices, and the others not', async () => {
  stopTime()
  const platform = new ScriptedPlatform({ keptIndices: ANY_INDICES })
  const { sendAll, send } = batchesOn(platform)
  const sent = sendAll(8)
  const first = await platform.run(0)
  first.succeeded.push(0, 1, 3, 4, 6, 7)
  first.failed.push(5, 2)
  await until(() => sent.every(isEnded))
  expect(sent.map(({ error }) => error?.code)).toEqual(
    range(8).map(call => (call === 2 || call === 5 ? 'LITHOPS_WORKER_LOST' : undefined)),
  )
  send(5)
  send(2)
  const second = await platform.run(1)
  expect(second.start).toMatchObject({ indices: [2, 5], first: 2 })
  expect(await second.messages()).toEqual({ 2: 'call 2', 5: 'call 5' })
  // what is new has new indices
  send(8)
  expect((await platform.run(2)).start.indices).toEqual([8])
})

test('a run has no indices that the platform cannot name together', async () => {
  stopTime()
  const fit = (indices: readonly number[]) => indices.length <= 3
  const platform = new ScriptedPlatform({ keptIndices: { largest: 9_999, fit } })
  batchesOn(platform).sendAll(8)
  await until(() => platform.runs.reduce((sum, { start }) => sum + start.indices.length, 0) === 8)
  const all = platform.runs.map(({ start }) => start.indices)
  expect(all.flat().sort()).toEqual(range(8))
  expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(3)
})

test('what is cancelled while it waits never runs; while it is packed, the others keep their messages', async () => {
  stopTime()
  for (const keptIndices of [ANY_INDICES, undefined]) {
    const platform = new ScriptedPlatform(keptIndices === undefined ? {} : { keptIndices })
    const { sendAll } = batchesOn(platform)
    const sent = sendAll(4)
    sent[1]?.cancel()
    await pass(20)
    // it is being packed
    expect(platform.starts).toBe(0)
    sent[0]?.cancel()
    const run = await platform.run(0)
    const messages = await run.messages()
    expect(Object.values(messages)).toEqual(expect.arrayContaining(['call 2', 'call 3']))
    expect(Object.values(messages)).not.toContain('call 1')
    run.isOver = true
    run.succeeded.push(...run.start.indices)
    await until(() => sent.every(isEnded))
    expect(sent.map(({ report }) => report !== undefined)).toEqual([false, false, true, true])
    const idOf = (call: number) => `${run.name}/${Object.values(messages).indexOf(`call ${call}`)}`
    if (keptIndices === undefined) expect(sent[3]?.report?.requestId).toBe(idOf(3))
    else expect(messages).toEqual({ 2: 'call 2', 3: 'call 3' })
  }
})

test('closing: what waits is refused, what runs goes on, and what is over in a moment is removed', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const { send, close } = batchesOn(platform, { maxWorkers: 2 })
  const [over, going, waiting] = [send(0, { jobId: 'a' }), send(0, { jobId: 'b' }), send(0, { jobId: 'c' })]
  const [first, second] = [await platform.run(0), await platform.run(1)]
  second.running.set(0, undefined)
  first.running.set(0, undefined)
  let isClosed = false
  const closing = close(new InvocationError('closed', { code: 'LITHOPS_CLOSED' })).then(() => {
    isClosed = true
  })
  await pass(0)
  for (const one of [over, going, waiting]) expect(one.error).toMatchObject({ code: 'LITHOPS_CLOSED' })
  await pass(300)
  first.isOver = true
  await until(() => isClosed, 10_000)
  await closing
  expect([first.isRemoved, second.isRemoved, platform.starts]).toEqual([true, false, 2])
})

test('closing while a run begins: it goes on, and nothing waits for it for ever', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  let begin = () => {}
  platform.startSteps.push(() => new Promise<void>(done => (begin = done)))
  const { send, close } = batchesOn(platform)
  const sent = send(0)
  await until(() => platform.starts === 1)
  let isClosed = false
  void close(new InvocationError('closed')).then(() => {
    isClosed = true
  })
  await pass(100)
  expect([isEnded(sent), isClosed]).toEqual([true, false])
  begin()
  await until(() => isClosed, 10_000)
  expect(platform.runs.map(({ isRemoved }) => isRemoved)).toEqual([false])
})
