import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { FunctionExecutor, FuturesList, FuturesStream } from '../../src/index.ts'

const fexec = new FunctionExecutor({ backend: 'localhost', localhost: { worker_processes: 2 } })
afterAll(() => fexec.close())

describe('callAsync', () => {
  test('returns the value of a closure', async () => {
    const rate = 1.5
    expect(await fexec.callAsync((price: number) => price * rate, 10)).toBe(15)
  })

  test('awaits an asynchronous function', async () => {
    const value = await fexec.callAsync(async (ms: number) => {
      await new Promise(resolve => setTimeout(resolve, ms))
      return { waited: ms }
    }, 5)
    expect(value).toEqual({ waited: 5 })
  })

  test('gives extra arguments and then the context', async () => {
    const value = await fexec.callAsync(
      (item: number, factor: number, name: string, context) => [
        item * factor,
        name,
        context.callId,
        context.attempt,
      ],
      2,
      { extraArgs: [10, 'ten'] },
    )
    expect(value).toEqual([20, 'ten', 0, 0])
  })

  test('gives a native function its item alone', async () => {
    expect(await fexec.callAsync(Math.sqrt, 16)).toBe(4)
  })

  test('an error arrives as its own class with message, cause and properties', async () => {
    class OrderError extends Error {
      constructor(
        message: string,
        readonly order: number,
      ) {
        super(message, { cause: new RangeError('inner') })
        this.name = 'OrderError'
      }
    }
    const error = await fexec
      .callAsync((order: number) => {
        throw new OrderError('no such order', order)
      }, 7)
      .catch(e => e)
    expect(error).toBeInstanceOf(OrderError)
    expect(error).toMatchObject({ message: 'no such order', order: 7, name: 'OrderError' })
    expect(error.cause).toBeInstanceOf(RangeError)
    expect(error.stack).toContain('executor.test.ts')
  })

  test('the context tells ids, deadline and an unaborted signal', async () => {
    const future = fexec.callAsync(
      (_: number, context) => ({
        jobId: context.jobId,
        executorId: context.executorId,
        left: context.deadlineMs - Date.now(),
        aborted: context.signal.aborted,
      }),
      0,
      { timeoutMs: 60_000 },
    )
    const seen = await future
    expect(seen.jobId).toBe(future.jobId)
    expect(seen.executorId).toBe(fexec.executorId)
    expect(seen.left).toBeGreaterThan(50_000)
    expect(seen.left).toBeLessThanOrEqual(60_001)
    expect(seen.aborted).toBe(false)
  })
})

describe('map', () => {
  test('keeps the order of the items', async () => {
    const futures = fexec.map(
      async (ms: number) => {
        await new Promise(resolve => setTimeout(resolve, ms))
        return ms
      },
      [30, 1, 10],
    )
    expect(futures).toBeInstanceOf(FuturesList)
    expect(await fexec.getResult(futures)).toEqual([30, 1, 10])
  })

  test('no items give no futures and no results', async () => {
    expect(await fexec.getResult(fexec.map((x: number) => x, []))).toEqual([])
  })

  test('iterates asynchronously over futures in the order in which they end', async () => {
    const futures = fexec.map(
      async (ms: number) => {
        await new Promise(resolve => setTimeout(resolve, ms))
        return ms
      },
      [200, 1],
    )
    const order: number[] = []
    for await (const future of futures) order.push(await future.result())
    expect(order).toEqual([1, 200])
  })

  test('snapshots items: a change after map is not seen', async () => {
    const item = { n: 1 }
    const futures = fexec.map((x: { n: number }) => x.n, [item])
    item.n = 2
    expect(await fexec.getResult(futures)).toEqual([1])
  })

  test('items that are futures are waited for one by one', async () => {
    const first = fexec.map((x: number) => x * 10, [1, 2, 3])
    const second = fexec.map((x: number) => x + 1, first)
    expect(await fexec.getResult(second)).toEqual([11, 21, 31])
  })

  test('a call whose input failed fails with the same error', async () => {
    const bad = fexec.callAsync((): number => {
      throw new RangeError('first')
    }, 0)
    const after = fexec.callAsync((x: number) => x, bad)
    await expect(after.result()).rejects.toThrow('first')
  })

  test('10,000 calls each end once with the right value', async () => {
    const items = Array.from({ length: 10_000 }, (_, i) => i)
    const futures = fexec.map((x: number) => x + 1, items)
    const values = await fexec.getResult(futures)
    expect(values).toEqual(items.map(x => x + 1))
    expect(futures.every(future => future.stats.durationMs !== undefined)).toBe(true)
  })

  test('a chunksize groups calls into activations', async () => {
    const futures = fexec.map((x: number) => x, [1, 2, 3, 4, 5], { chunksize: 2 })
    await fexec.getResult(futures)
    expect(futures.map(future => future.stats.activationCalls)).toEqual([2, 2, 2, 2, 1])
  })

  test('a string or a number as items is refused with advice', () => {
    expect(() => fexec.map((x: string) => x, 'abc' as never)).toThrow(/map needs an array.*callAsync/)
    expect(() => fexec.map((x: number) => x, 5 as never)).toThrow(/callAsync for a single value/)
  })
})

describe('sources of unknown length', () => {
  test('an async iterable gives a stream of futures', async () => {
    async function* source() {
      for (let i = 0; i < 5000; i++) yield i
    }
    const stream = fexec.map((x: number) => x * 2, source())
    expect(stream).toBeInstanceOf(FuturesStream)
    let sum = 0
    for await (const future of stream) sum += await future.result()
    expect(sum).toBe(5000 * 4999)
    expect(stream.length).toBe(5000)
  })

  test('getResult gives the values of a stream in the order of the items', async () => {
    function* source() {
      for (let i = 0; i < 100; i++) yield i
    }
    expect(await fexec.getResult(fexec.map((x: number) => -x, source()))).toEqual(
      Array.from({ length: 100 }, (_, i) => -i),
    )
  })

  test('the source is not read further than futures are taken', async () => {
    let read = 0
    async function* source() {
      for (; read < 100_000; read++) yield read
    }
    const stream = fexec.map((x: number) => x, source())
    await sleep(500)
    expect(read).toBeLessThan(20_000)
    stream.cancel()
  })

  test('leaving the loop stops the source and cancels what is open', async () => {
    let isReturned = false
    async function* source() {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        isReturned = true
      }
    }
    for await (const future of fexec.map((x: number) => x, source())) {
      if ((await future.result()) >= 3) break
    }
    await sleep(50)
    expect(isReturned).toBe(true)
  })

  test('an error of the source arrives after the calls before it', async () => {
    async function* source() {
      yield 1
      throw new Error('source broke')
    }
    const values: number[] = []
    const loop = async () => {
      for await (const future of fexec.map((x: number) => x, source())) values.push(await future.result())
    }
    await expect(loop()).rejects.toThrow('source broke')
    expect(values).toEqual([1])
  })
})

describe('mapReduce', () => {
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)

  test('reduces in the order of the items', async () => {
    expect(
      await fexec.mapReduce(
        (x: string) => x.toUpperCase(),
        ['a', 'b', 'c'],
        parts => parts.join(''),
      ),
    ).toBe('ABC')
  })

  test('a tree with a fan-in gives the same', async () => {
    const items = Array.from({ length: 100 }, (_, i) => i)
    expect(await fexec.mapReduce((x: number) => x, items, sum, { fanIn: 4 })).toBe(4950)
  })

  test('takes a source of unknown length', async () => {
    function* source() {
      for (let i = 0; i < 1000; i++) yield i
    }
    expect(await fexec.mapReduce((x: number) => x, source(), sum, { fanIn: 10 })).toBe(499_500)
  })

  test('one reducer per group', async () => {
    const reducers = fexec.mapReduce((x: number) => x, [1, 2, 3, 4, 5, 6, 7], sum, { reduceBy: x => x % 3 })
    expect(reducers.groupKeys).toEqual([1, 2, 0])
    expect(await fexec.getResult(reducers)).toEqual([12, 7, 9])
  })

  test('one reducer per object with reduceByKey', async () => {
    const pieces = ['a', 'b', 'a'].map((key, part) => ({ bucket: 'x', key, part }))
    const parts = (found: number[]) => found.join()
    const reducers = fexec.mapReduce((piece: { part: number }) => piece.part, pieces, parts, {
      reduceByKey: true,
    })
    expect(reducers.groupKeys).toEqual(['x/a', 'x/b'])
    expect(await fexec.getResult(reducers)).toEqual(['0,2', '1'])
    expect(() =>
      fexec.mapReduce((x: number) => x, [1], parts, {
        reduceByKey: true,
        reduceBy: (x: number) => x,
      } as never),
    ).toThrow(/one of the two/)
  })

  test("one reducer per object with reduceBy: 'object'", async () => {
    const items = [
      { bucket: 'b', key: 'x', part: 0 },
      { bucket: 'b', key: 'y', part: 0 },
      { bucket: 'b', key: 'x', part: 1 },
    ]
    const reducers = fexec.mapReduce((item: { part: number }) => item.part, items, sum, {
      reduceBy: 'object',
    })
    expect(reducers.groupKeys).toEqual(['b/x', 'b/y'])
    expect(await fexec.getResult(reducers)).toEqual([1, 0])
  })

  test('no items: the reducer gets an empty array', async () => {
    expect(
      await fexec.mapReduce(
        (x: number) => x,
        [],
        (values: number[]) => values.length,
      ),
    ).toBe(0)
  })

  test('a failed map call fails the reducer with its error and stops the rest', async () => {
    const future = fexec.mapReduce(
      (x: number) => {
        if (x === 2) throw new RangeError('two')
        return x
      },
      [1, 2, 3],
      sum,
    )
    await expect(future.result()).rejects.toThrow(RangeError)
  })
})

describe('waiting', () => {
  const after = async (ms: number) => {
    await new Promise(resolve => setTimeout(resolve, ms))
    return ms
  }

  test('ANY_COMPLETED, ALWAYS and a percentage', async () => {
    const futures = fexec.map(after, [5, 400])
    expect((await fexec.wait(futures, { returnWhen: 'ALWAYS' })).done.length).toBeLessThan(2)
    const any = await fexec.wait(futures, { returnWhen: 'ANY_COMPLETED' })
    expect([any.done.length, any.notDone.length]).toEqual([1, 1])
    expect((await fexec.wait(futures, { returnWhen: 50 })).done.length).toBe(1)
    expect((await fexec.wait(futures)).done.length).toBe(2)
  })

  test('a timeout ends the wait and not the call', async () => {
    const future = fexec.callAsync(after, 200)
    await expect(fexec.wait([future], { timeoutMs: 10 })).rejects.toMatchObject({
      code: 'LITHOPS_WAIT_TIMEOUT',
    })
    await expect(future.result({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'LITHOPS_WAIT_TIMEOUT' })
    expect(await future).toBe(200)
  })

  test('throwExcept: false gives undefined for failed calls', async () => {
    const futures = fexec.map(
      (x: number) => {
        if (x === 2) throw new Error('no')
        return x
      },
      [1, 2, 3],
    )
    expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([1, undefined, 3])
    await expect(fexec.getResult(futures)).rejects.toThrow('no')
  })

  test('getResult without futures reads all that were not read', async () => {
    await using own = new FunctionExecutor({ localhost: { worker_processes: 1 } })
    own.map((x: number) => x, [1, 2])
    own.map((x: number) => x, [3])
    expect(await own.getResult()).toEqual([1, 2, 3])
    expect(await own.getResult()).toEqual([])
  })

  test('status tells how a call ended without throwing', async () => {
    const future = fexec.callAsync(() => {
      console.log('to stdout')
      throw new Error('no')
    }, 0)
    const status = await future.status()
    expect(status).toMatchObject({ state: 'error', callId: 0, logs: 'to stdout\n' })
    expect(status.error).toMatchObject({ message: 'no' })
    expect([future.isDone, future.isSuccess, future.isError, future.isCancelled]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
})

describe('closing', () => {
  test('closing with calls in flight cancels them', async () => {
    const own = new FunctionExecutor({ localhost: { worker_processes: 1 } })
    const futures = own.map(() => {
      for (;;);
    }, [1, 2, 3])
    await sleep(100)
    await own.close()
    await own.close()
    expect(futures.map(future => future.state)).toEqual(['cancelled', 'cancelled', 'cancelled'])
    await expect(futures[0]?.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_CANCELLED' })
    expect(() => own.callAsync((x: number) => x, 1)).toThrow(/closed/)
  })

  test('an unread failed future is not an unhandled rejection', async () => {
    const seen: unknown[] = []
    const listener = (reason: unknown) => seen.push(reason)
    process.on('unhandledRejection', listener)
    const future = fexec.callAsync(() => {
      throw new Error('nobody reads this')
    }, 0)
    await future.status()
    void future.result()
    await sleep(20)
    process.off('unhandledRejection', listener)
    expect(seen).toEqual([])
  })

  test('a signal cancels a job', async () => {
    const controller = new AbortController()
    const futures = fexec.map(after => new Promise(resolve => setTimeout(resolve, after)), [10_000, 10_000], {
      signal: controller.signal,
    })
    controller.abort(new Error('changed my mind'))
    const error = await futures[0]?.result().catch(e => e)
    expect(error).toMatchObject({ code: 'LITHOPS_CALL_CANCELLED', cause: { message: 'changed my mind' } })
  })
})
