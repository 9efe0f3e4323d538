import assert from 'node:assert/strict'
import type { ComputeBackend } from '../driver/compute-backend.ts'
import { LithopsError } from '../errors/index.ts'
import type { CallContext } from '../worker/call-context.ts'
import { type ComputeCase, ONCE } from './compute-context.ts'
import { eventually, patternBytes, rejectsWith } from './kit.ts'
import type { ObservedInvoke } from './observed-backend.ts'

/** Limits that a test cannot reach. */
const payloadUnlimited = ({ capabilities }: ComputeBackend) =>
  capabilities.maxPayloadBytes > 64 * 1024 * 1024
    ? `capabilities.maxPayloadBytes is ${capabilities.maxPayloadBytes}`
    : undefined

/** Calls and maps that go well: values, sizes, several at once. */
export const callCases: readonly ComputeCase[] = [
  {
    name: 'runs a call and gives its value',
    run: async context => {
      const { fexec } = context.execute()
      const rate = 1.5
      assert.equal(
        await context.soon(
          fexec.callAsync((x: number) => x * rate, 10, ONCE),
          'call',
        ),
        15,
      )
      const waited = fexec.callAsync(
        async (ms: number) => new Promise(done => setTimeout(done, ms, 'done')),
        5,
        ONCE,
      )
      assert.equal(await context.soon(waited, 'asynchronous call'), 'done')
    },
  },
  {
    name: 'gives values as they are: empty, odd and large',
    run: async context => {
      const { fexec } = context.execute()
      const { maxPayloadBytes, maxReplyBytes } = context.backend.capabilities
      const room = Math.floor(Math.min(maxPayloadBytes / 2, maxReplyBytes / 2, 1_000_000))
      const values: unknown[] = [
        undefined,
        null,
        '',
        0,
        Number.NaN,
        'ünïcödé 漢字 😀',
        'quote " \' \\ % + & < > \n \r \0',
        new Date(0),
        new Uint8Array(0),
        patternBytes(Math.min(room, 1000)),
        patternBytes(room),
        [],
        {},
        new Map([['k', [1, { deep: true }]]]),
      ]
      const future = fexec.map((value: unknown) => value, values, { ...ONCE, chunksize: 1 })
      assert.deepEqual(await context.soon(fexec.getResult(future), 'map'), values)
    },
  },
  {
    name: 'an input over the payload limit goes through storage, or is refused, and the next call works',
    skip: payloadUnlimited,
    run: async context => {
      const { fexec, invokes } = context.execute()
      const { maxPayloadBytes } = context.backend.capabilities
      const lengthOf = (bytes: Uint8Array) => bytes.length
      const call = context.soon(
        fexec.callAsync(lengthOf, patternBytes(maxPayloadBytes + 1), ONCE),
        'large call',
      )
      if (context.hasStorage) assert.equal(await call, maxPayloadBytes + 1)
      else await rejectsWith(call, LithopsError, 'a call over the limit', 'LITHOPS_PAYLOAD_TOO_LARGE')
      assert.ok(
        invokes.every(({ activation }) => activation.payload.length <= maxPayloadBytes),
        'payload sizes',
      )
      assert.equal(
        await context.soon(
          fexec.callAsync((x: number) => x + 1, 1, ONCE),
          'next call',
        ),
        2,
      )
    },
  },
  {
    name: 'inputs, captured values and extra arguments over the payload limit arrive through storage',
    skip: payloadUnlimited,
    run: async context => {
      if (!context.hasStorage) return console.log('skipped: executorOptions has no storage')
      const { fexec, invokes } = context.execute()
      const { maxPayloadBytes } = context.backend.capabilities
      const captured = patternBytes(maxPayloadBytes + 2)
      const items = Array.from({ length: 5 }, (_, i) => patternBytes(Math.ceil(maxPayloadBytes * 0.7) + i, i))
      const sizes = (bytes: Uint8Array, extra: Uint8Array, _context: CallContext): number[] => [
        bytes.length,
        bytes.at(-1) ?? -1,
        captured.length,
        extra.length,
      ]
      const extraArgs: [Uint8Array] = [patternBytes(maxPayloadBytes + 3)]
      const futures = fexec.map(sizes, items, { ...ONCE, extraArgs, chunksize: 2 })
      assert.deepEqual(
        await context.soon(fexec.getResult(futures), 'map'),
        items.map(item => [item.length, item.at(-1), maxPayloadBytes + 2, maxPayloadBytes + 3]),
      )
      assert.ok(
        invokes.every(({ activation }) => activation.payload.length <= maxPayloadBytes),
        'payload sizes',
      )
    },
  },
  {
    name: 'a result over the reply limit goes through storage, or is the error of its call',
    skip: ({ capabilities }) =>
      capabilities.maxReplyBytes > 64 * 1024 * 1024
        ? `capabilities.maxReplyBytes is ${capabilities.maxReplyBytes}`
        : undefined,
    run: async context => {
      const { fexec } = context.execute()
      const { maxReplyBytes } = context.backend.capabilities
      const sizes = [1, maxReplyBytes - 1, maxReplyBytes + 1, 2]
      const bytesOf = (size: number) => new Uint8Array(size).fill(size % 256)
      const futures = fexec.map(bytesOf, sizes, { ...ONCE, chunksize: 4 })
      if (context.hasStorage) {
        assert.deepEqual(await context.soon(fexec.getResult(futures), 'map'), sizes.map(bytesOf))
        return
      }
      const large = context.soon(futures[2] as PromiseLike<unknown>, 'call with a large result')
      await rejectsWith(large, LithopsError, 'a result over the limit', 'LITHOPS_RESULT_TOO_LARGE')
      assert.deepEqual(await context.soon(futures[3] as PromiseLike<unknown>, 'next call'), bytesOf(2))
    },
  },
  {
    name: 'errors and logs of any size fit into the reply',
    skip: ({ capabilities }) =>
      capabilities.maxReplyBytes > 64 * 1024 * 1024
        ? `capabilities.maxReplyBytes is ${capabilities.maxReplyBytes}`
        : undefined,
    run: async context => {
      const { fexec } = context.execute()
      const { maxReplyBytes } = context.backend.capabilities
      const longest = maxReplyBytes + 1
      const futures = fexec.map(
        (size: number) => {
          if (size === longest) console.log('l'.repeat(size))
          throw new RangeError('e'.repeat(size))
        },
        [longest, maxReplyBytes * 3],
        { ...ONCE, chunksize: 2 },
      )
      for (const future of futures) {
        const error = await context.soon(
          future.then(
            () => undefined,
            (thrown: Error) => thrown,
          ),
          'failing call',
        )
        assert.match(String(error?.message), /^e{100}/)
      }
    },
  },
  {
    name: 'a payload of exactly the limit is taken',
    skip: payloadUnlimited,
    run: async context => {
      const { maxPayloadBytes } = context.backend.capabilities
      const { fexec, invokes } = context.execute()
      const lengthOf = (bytes: Uint8Array) => bytes.length
      const probe = Math.max(0, Math.min(100_000, maxPayloadBytes - 20_000))
      await context.soon(fexec.callAsync(lengthOf, patternBytes(probe), ONCE), 'probe')
      const overhead = (invokes[0] as ObservedInvoke).activation.payload.length - probe
      const exact = maxPayloadBytes - overhead
      assert.equal(await context.soon(fexec.callAsync(lengthOf, patternBytes(exact), ONCE), 'call'), exact)
      // Ids of later jobs may be a byte longer or shorter.
      const sent = invokes.at(-1)?.activation.payload.length ?? 0
      assert.ok(Math.abs(sent - maxPayloadBytes) < 64, `payload of ${sent} bytes`)
    },
  },
  {
    name: 'a map of nothing gives nothing',
    run: async context => {
      const { fexec } = context.execute()
      const future = fexec.map((x: number) => x, [] as number[], ONCE)
      assert.deepEqual(await context.soon(fexec.getResult(future), 'map'), [])
    },
  },
  {
    name: 'a map gives every result once, in the order of its items',
    run: async context => {
      const { fexec } = context.execute()
      const items = Array.from({ length: context.timing.manyCalls }, (_, i) => i)
      const futures = fexec.map((x: number) => x * 2, items, ONCE)
      const values = await context.soon(fexec.getResult(futures), 'map')
      assert.deepEqual(
        values,
        items.map(x => x * 2),
      )
    },
  },
  {
    name: 'takes activations of several calls',
    run: async context => {
      const { fexec, invokes } = context.execute()
      const items = Array.from({ length: 23 }, (_, i) => i)
      const twice = async (x: number) => {
        await new Promise(done => setTimeout(done, x % 3))
        return x * 2
      }
      const futures = fexec.map(twice, items, { ...ONCE, chunksize: 7 })
      const values = await context.soon(fexec.getResult(futures), 'map')
      assert.deepEqual(
        values,
        items.map(x => x * 2),
      )
      assert.ok(
        invokes.some(({ activation }) => activation.callIds.length > 1),
        'an activation of several calls',
      )
    },
  },
  {
    name: 'map and reduce',
    run: async context => {
      const { fexec } = context.execute()
      const square = (x: number) => x * x
      const sum = (xs: number[]) => xs.reduce((a, b) => a + b, 0)
      assert.equal(await context.soon(fexec.mapReduce(square, [1, 2, 3, 4], sum, ONCE), 'mapReduce'), 30)
    },
  },
  {
    name: 'runs calls at the same time',
    skip: ({ capabilities }) =>
      capabilities.maxActivations > 1 ? undefined : 'capabilities.maxActivations is 1',
    run: async context => {
      const { fexec } = context.execute()
      const stay = async () => {
        const begun = Date.now()
        await new Promise(done => setTimeout(done, 400))
        return { begun, ended: Date.now() }
      }
      // The first round may be held up by cold starts.
      await eventually(
        async () => {
          const futures = fexec.map(stay, [0, 1], { ...ONCE, chunksize: 1 })
          const [a, b] = await context.soon(fexec.getResult(futures), 'map')
          return a && b && a.begun < b.ended && b.begun < a.ended ? true : undefined
        },
        context.timing.callMs,
        'two calls that overlap',
      )
    },
  },
  {
    name: 'has no more activations at once than it says',
    run: async context => {
      const { fexec } = context.execute()
      const most = Math.min(context.backend.capabilities.maxActivations * 3, 60)
      const items = Array.from({ length: most }, (_, i) => i)
      const futures = fexec.map(
        async (x: number) => {
          await new Promise(done => setTimeout(done, 20))
          return x
        },
        items,
        { ...ONCE, chunksize: 1 },
      )
      assert.deepEqual(await context.soon(fexec.getResult(futures), 'map'), items)
    },
  },
  {
    name: 'serves several jobs and executors at once',
    run: async context => {
      const executors = [context.execute().fexec, context.execute().fexec]
      const jobs = executors.flatMap(fexec =>
        [1, 2].map(factor =>
          fexec.getResult(fexec.map((x: number) => x * factor, [1, 2, 3], { ...ONCE, extraEnv: {} })),
        ),
      )
      assert.deepEqual(await context.soon(Promise.all(jobs), 'jobs'), [
        [1, 2, 3],
        [2, 4, 6],
        [1, 2, 3],
        [2, 4, 6],
      ])
    },
  },
]
