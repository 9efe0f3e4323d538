import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { FunctionExecutor } from '../../src/index.ts'

const options = { backend: 'localhost', localhost: { worker_processes: 2 } } as const
const fexec = new FunctionExecutor(options)
afterAll(() => fexec.close())

const identity = (x: number) => x
const LATE = 'it hangs'
/** Fails instead of hanging when what is waited for never comes. */
const soon = <T>(promise: PromiseLike<T>, ms = 3000) =>
  Promise.race([promise, sleep(ms, undefined, { ref: false }).then(() => Promise.reject(new Error(LATE)))])

/** Gives one item, and then keeps everybody waiting for ever. */
async function* stuckSource() {
  yield 1
  await new Promise(() => {})
}

describe('a source that never gives its next item', () => {
  test('is left when its executor closes', async () => {
    const own = new FunctionExecutor(options)
    const stream = own.map(identity, stuckSource())
    const reading = (async () => {
      for await (const future of stream) await future.result()
    })()
    const values = own.getResult(own.map(identity, stuckSource()))
    const reduced = own.mapReduce(identity, stuckSource(), all => all.length).result()
    const outcomes = Promise.allSettled([reading, values, reduced])
    await sleep(100)
    await own.close()
    for (const outcome of await soon(outcomes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'LITHOPS_CALL_CANCELLED' } })
    }
  })

  test('is left when its signal is aborted, and half a result is not taken for a whole one', async () => {
    const controller = new AbortController()
    let values: Promise<unknown> = Promise.resolve()
    const loop = new Promise<void>((resolve, reject) => {
      const readAll = async () => {
        for await (const future of fexec.map(identity, stuckSource(), { signal: controller.signal })) {
          expect(await future.result()).toBe(1)
          resolve() // the first item has come and gone: the source keeps us waiting now
        }
      }
      values = readAll()
      values.catch(reject)
    })
    await loop
    controller.abort(new Error('enough'))
    await expect(soon(values)).rejects.toMatchObject({
      code: 'LITHOPS_CALL_CANCELLED',
      message: expect.stringContaining('before its source was read to the end: its signal was aborted'),
      cause: { message: 'enough' },
    })
  })

  test('is left when the stream is cancelled: a loop ends, getResult rejects', async () => {
    const stream = fexec.map(identity, stuckSource())
    const seen: number[] = []
    const loop = (async () => {
      for await (const future of stream) seen.push(await future.result())
    })()
    while (seen.length === 0) await sleep(10)
    stream.cancel()
    await soon(loop)
    expect(seen).toEqual([1])
    const other = fexec.map(identity, stuckSource())
    const values = fexec.getResult(other)
    values.catch(() => {})
    other.cancel()
    await expect(soon(values)).rejects.toMatchObject({ code: 'LITHOPS_CALL_CANCELLED' })
  })

  test('is left when the reducer is cancelled', async () => {
    let isReturned = false
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>(() => {}),
        return: async () => {
          isReturned = true
          return { done: true as const, value: undefined }
        },
      }),
    }
    const reducer = fexec.mapReduce(identity, source, all => all.length)
    await sleep(20)
    reducer.cancel()
    await sleep(20)
    expect(isReturned).toBe(true)
  })

  test('a timeout or a signal of getResult holds for it too', async () => {
    const late = soon(fexec.getResult(fexec.map(identity, stuckSource()), { timeoutMs: 100 }))
    await expect(late).rejects.toMatchObject({ code: 'LITHOPS_WAIT_TIMEOUT' })
    const signal = AbortSignal.timeout(100)
    const aborted = soon(fexec.getResult(fexec.map(identity, stuckSource()), { signal }))
    await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('is left when its backend cannot be had', async () => {
    await using own = new FunctionExecutor({ backend: 'no_such_backend' })
    const values = own.getResult(own.map(identity, stuckSource()))
    await expect(soon(values)).rejects.toMatchObject({ code: 'LITHOPS_DRIVER_NOT_FOUND' })
  })
})

describe('a signal', () => {
  const signal = AbortSignal.abort(new Error('before'))
  const cancelled = { code: 'LITHOPS_CALL_CANCELLED', cause: { message: 'before' } }

  test('that was aborted before cancels every kind of job, each with its reason', async () => {
    const tolerant = { signal, toleratedFailures: 5 }
    const list = (results: unknown[]) => results.length
    function* source() {
      yield 1
    }
    const attempts = [
      fexec.callAsync(identity, 1, { signal }).result(),
      fexec.getResult(fexec.map(identity, [1, 2], { signal })),
      fexec.getResult(fexec.map(identity, source(), { signal })),
      fexec.mapReduce(identity, [1, 2], list, { signal }).result(),
      fexec.mapReduce(identity, [1, 2], list, tolerant).result(),
      fexec.mapReduce(identity, source(), list, tolerant).result(),
    ]
    for (const attempt of await Promise.allSettled(attempts.map(attempt => soon<unknown>(attempt)))) {
      expect(attempt).toMatchObject({ status: 'rejected', reason: cancelled })
    }
  })

  test('that serves many jobs keeps no listener of those that have ended', async () => {
    const controller = new AbortController()
    for (let i = 0; i < 5; i++) await fexec.callAsync(identity, i, { signal: controller.signal })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })
})

describe('what was not read', () => {
  test('getResult and wait without futures mean all calls, of whatever kind, that were not read', async () => {
    await using own = new FunctionExecutor(options)
    own.callAsync((x: number) => x + 7, 3)
    own.map(identity, [1, 2])
    own.mapReduce(identity, [1, 2, 3], all => all.length)
    const read = own.callAsync(identity, 99)
    expect(await read).toBe(99)
    expect((await own.wait()).done).toHaveLength(4)
    expect(await own.getResult()).toEqual([10, 1, 2, 3])
    expect(await own.getResult()).toEqual([])
  })

  test('a wait that ends by its timeout reads nothing', async () => {
    await using own = new FunctionExecutor(options)
    own.callAsync(() => new Promise<string>(resolve => setTimeout(resolve, 300, 'slow')), 0)
    await expect(own.getResult(undefined, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'LITHOPS_WAIT_TIMEOUT',
    })
    expect(await own.getResult()).toEqual(['slow'])
  })
})

describe('waiting again and again', () => {
  test('leaves no listener on calls that go on', async () => {
    const future = fexec.callAsync(() => new Promise<void>(resolve => setTimeout(resolve, 400)), 0)
    const listeners: unknown[] = []
    const { call } = future
    const onEnd = call.onEnd.bind(call)
    const offEnd = call.offEnd.bind(call)
    call.onEnd = listener => {
      listeners.push(listener)
      onEnd(listener)
    }
    call.offEnd = listener => {
      listeners.splice(listeners.indexOf(listener), 1)
      offEnd(listener)
    }
    for (let i = 0; i < 3; i++) {
      await fexec.wait([future], { returnWhen: 'ALWAYS' })
      await fexec.wait([future], { timeoutMs: 1 }).catch(() => {})
      await future.status({ timeoutMs: 1 }).catch(() => {})
      await future.result({ timeoutMs: 1 }).catch(() => {})
    }
    expect(listeners).toEqual([])
    await future
  })

  test('a timeout that is no number is refused, and a very long one is no short one', async () => {
    const future = fexec.callAsync(() => new Promise<number>(resolve => setTimeout(resolve, 50, 5)), 0)
    await expect(fexec.wait([future], { timeoutMs: '5' as never })).rejects.toThrow(/milliseconds from 0/)
    expect(await future.result({ timeoutMs: Number.POSITIVE_INFINITY })).toBe(5)
    expect(await fexec.callAsync(async (x: number) => x, 6, { timeoutMs: 2 ** 40 })).toBe(6)
  })
})
