import { expect, test } from 'vitest'
import {
  batchesOn,
  isEnded,
  pass,
  ScriptedError,
  ScriptedPlatform,
  stopTime,
  until,
} from './scripted-array-platform.ts'

// The life of one array run.

const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const refuse = (kind: ScriptedError['kind']) => () => {
  throw new ScriptedError(kind)
}

test('ends may come in any order, and each is told once', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const sent = batchesOn(platform).sendAll(4)
  const run = await platform.run(0)
  run.running.set(0, undefined)
  for (const [done, ended] of [
    [3, [false, false, false, true]],
    [1, [false, true, false, true]],
    [2, [false, true, true, true]],
  ] as const) {
    run.succeeded.push(done)
    await until(() => isEnded(sent[done] ?? expect.fail()))
    expect(sent.map(isEnded)).toEqual(ended)
  }
  run.failed.push(3, 0)
  await until(() => sent.every(isEnded))
  expect(sent.map(({ error }) => error?.message)).toEqual([
    'index 0 of run-e-M000-0 was lost',
    undefined,
    undefined,
    undefined,
  ])
})

test('a failure is told a moment later than the platform tells: what the worker said comes first', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const [sent] = batchesOn(platform).sendAll(1)
  const run = await platform.run(0)
  run.failed.push(0)
  const looks = run.looks
  await until(() => run.looks > looks)
  await pass(900)
  expect(isEnded(sent ?? expect.fail())).toBe(false)
  await pass(200)
  expect(sent?.error).toMatchObject({ code: 'LITHOPS_WORKER_LOST' })
  await until(() => run.isRemoved)
})

test('what has not ended when the run is over has failed', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const sent = batchesOn(platform).sendAll(3)
  const run = await platform.run(0)
  run.isOver = true
  run.succeeded.push(1)
  await until(() => sent.every(isEnded))
  expect(sent.map(({ report }) => report !== undefined)).toEqual([false, true, false])
})

test('the answer to a start is lost: the run is found, and begun once', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  platform.startSteps.push(start => {
    platform.put(start)
    throw new ScriptedError('passing', 'the answer was lost')
  })
  const [sent] = batchesOn(platform).sendAll(1)
  const run = await platform.run(0)
  run.succeeded.push(0)
  await until(() => isEnded(sent ?? expect.fail()))
  expect(sent?.report).toEqual({ requestId: `${run.name}/0` })
  expect([platform.starts, platform.finds, platform.runs.length]).toEqual([1, 1, 1])
  await until(() => run.isRemoved)
})

test('a start that failed without having begun is made again, and at last given up, and nothing stays', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  platform.startSteps.push(refuse('passing'), refuse('passing'))
  const { send } = batchesOn(platform)
  send(0)
  const run = await platform.run(0)
  expect([platform.starts, platform.finds, platform.discarded]).toEqual([3, 2, []])
  expect(run.start.mark).toBe('e-M000-0')
  platform.startSteps.push(...range(4).map(() => refuse('passing')))
  const given = send(1)
  await until(() => isEnded(given))
  expect(given.error).toMatchObject({
    code: 'LITHOPS_INVOCATION',
    message: 'beginning e-M000-1: passing',
    isRetryable: true,
    mayHaveRun: true,
    details: { mark: 'e-M000-1' },
  })
  expect([platform.starts, platform.discarded]).toEqual([7, ['e-M000-1']])
})

test('where it cannot be found out whether it has begun, it is not begun again', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  platform.startSteps.push(refuse('passing'))
  platform.findError = new Error('the list is not answered')
  const [sent] = batchesOn(platform).sendAll(1)
  await until(() => isEnded(sent ?? expect.fail()))
  expect(sent?.error).toMatchObject({ mayHaveRun: true, message: expect.stringContaining('passing') })
  expect(platform.starts).toBe(1)
})

test.each([
  ['busy', { isThrottled: true, isRetryable: true, mayHaveRun: false }, []],
  ['gone', { isThrottled: false, isRetryable: true, mayHaveRun: false }, ['default']],
  ['final', { isThrottled: false, isRetryable: false, mayHaveRun: false }, []],
] as const)('a start that is refused as %s is told so, at once', async (kind, error, restored) => {
  stopTime()
  const platform = new ScriptedPlatform()
  platform.startSteps.push(refuse(kind))
  const there = batchesOn(platform)
  const sent = there.sendAll(2)
  await until(() => sent.every(isEnded))
  for (const one of sent) expect(one.error).toMatchObject({ code: 'LITHOPS_INVOCATION', ...error })
  expect([platform.starts, there.restored]).toEqual([1, restored])
  // the next one has its turn
  there.send(0)
  await platform.run(0)
})

test('errors of looking that pass cost nothing', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const sent = batchesOn(platform).sendAll(2)
  const run = await platform.run(0)
  run.lookErrors.push(...range(5).map(i => new Error(`answer ${i} was lost`)))
  run.succeeded.push(0, 1)
  await until(() => sent.every(isEnded))
  expect(sent.map(({ error }) => error)).toEqual([undefined, undefined])
  expect(run.looks).toBe(6)
})

test('a run of which nothing is told for minutes is given up, and removed', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const [sent] = batchesOn(platform).sendAll(1)
  const run = await platform.run(0)
  run.lookErrors.push(...range(10_000).map(() => new Error('no answer')))
  await pass(290_000)
  expect(isEnded(sent ?? expect.fail())).toBe(false)
  await pass(30_000)
  expect(sent?.error).toMatchObject({
    code: 'LITHOPS_INVOCATION',
    mayHaveRun: true,
    message: `The platform has not told of the run ${run.name} for 300 s: no answer`,
    details: { run: run.name },
  })
  expect(run.isRemoved).toBe(true)
})

test('one answer in between, and the minutes count anew', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const [sent] = batchesOn(platform).sendAll(1)
  const run = await platform.run(0)
  for (const _ of range(3)) {
    run.lookErrors.push(...range(10_000).map(() => new Error('no answer')))
    await pass(200_000)
    run.lookErrors.length = 0
    const looks = run.looks
    await until(() => run.looks > looks)
  }
  run.succeeded.push(0)
  await until(() => isEnded(sent ?? expect.fail()))
  expect(sent?.report).toBeDefined()
})

test('a run that vanishes is a lost worker', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const sent = batchesOn(platform).sendAll(2)
  const run = await platform.run(0)
  run.isRemoved = true
  await until(() => sent.every(isEnded))
  for (const { error } of sent)
    expect(error).toMatchObject({
      code: 'LITHOPS_WORKER_LOST',
      message: `The run ${run.name} was removed while its calls ran.`,
      details: { run: run.name },
    })
})

test('a run that nobody waits for any more is removed; others of its activations keep it', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const sent = batchesOn(platform).sendAll(2)
  const run = await platform.run(0)
  run.running.set(0, undefined).set(1, undefined)
  sent[0]?.cancel()
  await pass(120_000)
  expect(run.isRemoved).toBe(false)
  // it is not waited until it is looked at again, in six seconds
  const looks = run.looks
  await until(() => run.looks > looks)
  sent[1]?.cancel()
  await until(() => run.isRemoved, 1_000)
  expect(sent.map(({ error }) => error?.message)).toEqual(['cancelled', 'cancelled'])
})

test('a run that is cancelled while it begins is removed when it has', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  let begin = () => {}
  platform.startSteps.push(() => new Promise<void>(done => (begin = done)))
  const [sent] = batchesOn(platform).sendAll(1)
  await until(() => platform.starts === 1)
  sent?.cancel()
  await pass(1_000)
  expect(platform.runs).toEqual([])
  begin()
  await until(() => platform.runs[0]?.isRemoved === true, 1_000)
  expect(platform.runs.map(({ removals, looks }) => [removals, looks])).toEqual([[1, 0]])
})

test('an instance that does not end at its time limit is given up, alone', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const sent = batchesOn(platform).sendAll(2)
  const run = await platform.run(0)
  run.running.set(0, undefined)
  await pass(100_000)
  // the second began later
  run.running.set(1, undefined)
  await pass(100_000)
  expect(sent.map(({ error }) => error?.code)).toEqual(['LITHOPS_CALL_TIMEOUT', undefined])
  expect(sent[0]?.error?.message).toBe(
    `Instance 0 of the run ${run.name} was over its time limit, 60 s, and did not end.`,
  )
  expect(run.lateLooks).toBeGreaterThan(0)
  await pass(110_000)
  expect(sent.map(({ error }) => error?.code)).toEqual(['LITHOPS_CALL_TIMEOUT', 'LITHOPS_CALL_TIMEOUT'])
  expect(run.isRemoved).toBe(true)
})

test('where the platform tells since when an instance runs, that counts', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const [sent] = batchesOn(platform).sendAll(1)
  const run = await platform.run(0)
  run.running.set(0, Date.now() - 170_000)
  await pass(25_000)
  expect(sent?.error).toMatchObject({ code: 'LITHOPS_CALL_TIMEOUT' })
})

test('a run of which nothing begins is given up after a quarter of an hour, unless others go on', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  const { send } = batchesOn(platform)
  const [waiting, going] = [send(0, { jobId: 'a' }), send(0, { jobId: 'b' })]
  const [stuck, other] = [await platform.run(0), await platform.run(1)]
  stuck.said = 'pending, no room.'
  other.running.set(0, Date.now() + 1_000_000)
  await pass(1_000_000)
  expect([isEnded(waiting), isEnded(going)]).toEqual([false, false])
  other.succeeded.push(0)
  await until(() => isEnded(going))
  await pass(880_000)
  expect(isEnded(waiting)).toBe(false)
  await pass(40_000)
  expect(waiting.error).toMatchObject({
    code: 'LITHOPS_INVOCATION',
    isRetryable: true,
    message: `No instance of the run ${stuck.name} has run for 900 s (pending, no room): ask for ${stuck.name}.`,
    details: { run: stuck.name, said: 'pending, no room.' },
  })
  expect(stuck.isRemoved).toBe(true)
})

test('a run that takes long is looked at seldom', async () => {
  stopTime()
  const platform = new ScriptedPlatform()
  batchesOn(platform).sendAll(1)
  const run = await platform.run(0)
  run.running.set(0, Date.now() + 10_000_000)
  const looks = run.looks
  await pass(10_000)
  expect(run.looks - looks).toBeGreaterThan(10)
  await pass(600_000)
  const before = run.looks
  await pass(100_000)
  expect(run.looks - before).toBeLessThanOrEqual(11)
  expect(run.looks - before).toBeGreaterThanOrEqual(9)
})
