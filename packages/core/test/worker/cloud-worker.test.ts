import { expect, test } from 'vitest'
import { type CallContext, FunctionExecutor } from '../../src/index.ts'
import { computeConformance } from '../../src/testing/index.ts'
import { CloudPlatform } from './cloud-platform.ts'

computeConformance({ test, createBackend: () => new CloudPlatform(), timing: { manyCalls: 60 } })

const once = { retries: { infrastructure: 0, user: 0 } } as const

/** A platform and an executor over it, ended after the test. */
async function withPlatform(use: (platform: CloudPlatform, fexec: FunctionExecutor) => Promise<void>) {
  const platform = new CloudPlatform()
  try {
    await using fexec = new FunctionExecutor({ backend: platform })
    await use(platform, fexec)
  } finally {
    await platform.close()
  }
}

test('what functions write comes with the reply, and is in the platform’s log too', () =>
  withPlatform(async (platform, fexec) => {
    const future = fexec.callAsync(async (x: number) => {
      console.log('one', x)
      await new Promise(setImmediate)
      process.stderr.write('two\n')
      console.error('three')
      return x
    }, 1)
    expect(await future).toBe(1)
    expect(future.logs).toBe('one 1\ntwo\nthree\n')
    const log = platform.environments.map(environment => environment.log).join('')
    for (const line of ['one 1\n', 'two\n', 'three\n']) expect(log.split(line)).toHaveLength(2)
  }))

test('a worker tells that it was started for a call, and how long that took', () =>
  withPlatform(async (_, fexec) => {
    const first = fexec.callAsync(() => 1, 0)
    await first
    expect(first.stats.coldStart).toBe(true)
    expect(first.stats.initMs).toBeGreaterThan(0)
    const second = fexec.callAsync(() => 2, 0)
    await second
    expect(second.stats).toMatchObject({ coldStart: false, initMs: undefined })
    expect(second.stats.workerId).toBe(first.stats.workerId)
    expect(await fexec.usageOf([first, second])).toMatchObject({
      requests: 2,
      coldStarts: 1,
      coldStartShare: 0.5,
      isEstimated: true,
      costUsd: undefined,
    })
  }))

test('a call changes neither environment nor folder of the next', () =>
  withPlatform(async (_, fexec) => {
    const change = () => {
      process.env.LEFT_BEHIND = 'yes'
      process.chdir('/')
    }
    const before = await fexec.callAsync(() => process.cwd(), 0)
    await fexec.callAsync(change, 0)
    expect(await fexec.callAsync(() => [process.env.LEFT_BEHIND, process.cwd()], 0)).toEqual([
      undefined,
      before,
    ])
  }))

test('a function that goes on after its timeout ends its worker, and the calls beside it are run again', () =>
  withPlatform(async (platform, fexec) => {
    const stay = (x: number) => (x === 1 ? new Promise(() => setInterval(() => {}, 1000)) : x)
    const futures = fexec.map(stay, [0, 1, 2], { ...once, chunksize: 3, timeoutMs: 400 })
    expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([0, undefined, 2])
    expect(futures[1]?.error).toMatchObject({ code: 'LITHOPS_CALL_TIMEOUT' })
    const ended = platform.environments.filter(environment => environment.hasExited)
    expect(ended.every(({ child }) => child.signalCode === 'SIGALRM')).toBe(true)
    expect(ended).toHaveLength(2)
  }))

test('a function that is busy beyond its timeout ends its worker', () =>
  withPlatform(async (platform, fexec) => {
    const busy = (_: number, context: CallContext) => {
      for (;;) if (context.signal.aborted) return
    }
    await expect(fexec.callAsync(busy, 0, { ...once, timeoutMs: 300 }).result()).rejects.toMatchObject({
      code: 'LITHOPS_CALL_TIMEOUT',
      message: expect.stringContaining('of 300 ms: call 0 never let go'),
    })
    expect(platform.environments.map(({ child }) => child.signalCode)).toEqual(['SIGALRM'])
  }))

test('an error that escapes a function is the error of its call, and the worker lives on', () =>
  withPlatform(async (_, fexec) => {
    const escaping = () =>
      new Promise(() => {
        setTimeout(() => {
          throw new RangeError('too far')
        }, 1)
      })
    await expect(fexec.callAsync(escaping, 0, once).result()).rejects.toThrow(RangeError)
    const next = fexec.callAsync(() => 1, 0, once)
    expect(await next).toBe(1)
    expect(next.stats.coldStart).toBe(false)
  }))
