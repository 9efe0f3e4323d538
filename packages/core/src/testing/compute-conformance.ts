import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  type Activation,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type RuntimeListing,
} from '../driver/compute-backend.ts'
import {
  CallCancelledError,
  CallTimeoutError,
  InvocationError,
  LithopsError,
  WorkerLostError,
} from '../errors/index.ts'
import type { ExecutorOptions } from '../executor/executor-options.ts'
import { FunctionExecutor } from '../executor/function-executor.ts'
import type { CallContext } from '../worker/call-context.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'
import {
  eventually,
  type KitCase,
  patternBytes,
  registerCases,
  rejectsAborted,
  rejectsWith,
  type TestFunction,
  within,
} from './kit.ts'
import { type ObservedInvoke, observeBackend } from './observed-backend.ts'

export interface ComputeTiming {
  /** How long a call may take from submission to result, with the deployment of its runtime. Default: 20,000. */
  readonly callMs?: number
  /** How long the end of an aborted or closed activation may take. Default: 5,000. */
  readonly stopMs?: number
  /** Time limit that the kit gives to calls that never end. Default: 300; services that know seconds need more. */
  readonly timeoutMs?: number
  /** How many calls the large map has. Default: 500. */
  readonly manyCalls?: number
}

export interface ComputeConformanceOptions {
  readonly test: TestFunction
  /** Makes a backend; each case asks for one and closes it. */
  readonly createBackend: () => ComputeBackend | Promise<ComputeBackend>
  /**
   * Further options of the executors that the kit makes, e.g. `{ storage, monitoring: 'storage' }` for a backend that
   * does not reply by itself.
   */
  readonly executorOptions?: Omit<ExecutorOptions, 'backend'>
  readonly timing?: ComputeTiming
}

/** Whatever breaks is seen: nothing is run a second time. */
const ONCE = { retries: { infrastructure: 0, user: 0 } } as const

class ComputeContext implements AsyncDisposable {
  readonly backend: ComputeBackend
  readonly timing: Required<ComputeTiming>
  readonly #executorOptions: Omit<ExecutorOptions, 'backend'>
  readonly #executors: FunctionExecutor[] = []

  constructor(
    backend: ComputeBackend,
    options: {
      readonly timing: Required<ComputeTiming>
      readonly executorOptions: Omit<ExecutorOptions, 'backend'>
    },
  ) {
    this.backend = backend
    this.timing = options.timing
    this.#executorOptions = options.executorOptions
  }

  /** An executor over the backend, and what it asked of the backend. */
  execute(change?: (activation: Activation) => Activation) {
    const { backend, invokes } = observeBackend(this.backend, change)
    const fexec = new FunctionExecutor({ ...this.#executorOptions, backend })
    this.#executors.push(fexec)
    return { fexec, invokes }
  }

  /** Waits for a result, but not for ever. */
  soon<T>(promise: PromiseLike<T>, what: string): Promise<T> {
    return within(Promise.resolve(promise), this.timing.callMs, what)
  }

  /** An activation that no worker can read: for what must be refused before it is sent. */
  strangeActivation(): Activation {
    return {
      id: `conformance-${randomUUID()}`,
      executorId: 'conformance',
      jobId: 'A000',
      runtime: this.backend.defaultRuntime,
      payload: new Uint8Array([0]),
      callIds: [0],
      callTimeoutMs: 1000,
      freshWorker: false,
    }
  }

  /** The first activation that the executor sends. */
  async firstInvoke(invokes: readonly ObservedInvoke[]): Promise<ObservedInvoke> {
    return eventually(async () => invokes[0], this.timing.callMs, 'an activation')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fexec of this.#executors) await fexec.close()
    await this.backend.close()
  }
}

const hasOwnProcesses = (backend: ComputeBackend) =>
  backend.capabilities.killsBusyCalls ? undefined : 'capabilities.killsBusyCalls is false'

const cases: KitCase<ComputeBackend, ComputeContext>[] = [
  {
    name: 'has a name, the contract version and capabilities that fit together',
    run: async ({ backend }) => {
      assert.equal(backend.specVersion, COMPUTE_SPEC_VERSION)
      assert.match(backend.name, /^[a-z][a-z0-9_]*$/)
      assert.ok(backend.kind === 'faas' || backend.kind === 'batch', `kind ${backend.kind}`)
      assert.equal(typeof backend.defaultRuntime.name, 'string')
      const { capabilities } = backend
      for (const limit of [
        'maxPayloadBytes',
        'maxReplyBytes',
        'maxTimeoutMs',
        'maxActivations',
        'callsAtOnce',
      ] as const) {
        assert.ok(capabilities[limit] > 0, `capabilities.${limit} is ${capabilities[limit]}`)
      }
      if (capabilities.streamsReplies)
        assert.ok(capabilities.synchronousReply, 'streamsReplies without reply')
      if (capabilities.adaptiveChunks)
        assert.ok(capabilities.streamsReplies, 'adaptiveChunks without streams')
    },
  },
  {
    name: 'deploys a runtime, any number of times and at once, and tells what it is',
    run: async ({ backend }) => {
      const runtime = backend.defaultRuntime
      const all = await Promise.all([1, 2, 3].map(() => backend.deployRuntime(runtime, {})))
      for (const metadata of [...all, await backend.deployRuntime(runtime, {})]) {
        assert.equal(metadata.protocolVersion, PROTOCOL_VERSION, 'protocolVersion')
        assert.match(metadata.nodeVersion, /^v\d+\.\d+/, 'nodeVersion')
        for (const field of ['lithopsVersion', 'platform', 'arch'] as const) {
          assert.equal(typeof metadata[field], 'string', field)
        }
      }
    },
  },
  {
    name: 'lists a deployed runtime, and removes it however often it is asked',
    run: async ({ backend }) => {
      const runtime = backend.defaultRuntime
      const before = namesOf(await backend.listRuntimes())
      await backend.deployRuntime(runtime, {})
      const deployed = namesOf(await backend.listRuntimes())
      assert.ok(deployed.includes(runtime.name), `listRuntimes after deployRuntime: ${deployed.join(', ')}`)
      await backend.deleteRuntime(runtime)
      await backend.deleteRuntime(runtime)
      assert.deepEqual(
        namesOf(await backend.listRuntimes()),
        before.includes(runtime.name) ? before : before.filter(name => name !== runtime.name),
        'listRuntimes after deleteRuntime',
      )
      await backend.deleteRuntime({ name: `never-was-${randomUUID().slice(0, 8)}` })
      await backend.deployRuntime(runtime, {})
    },
  },
  {
    name: 'an aborted signal ends deployRuntime and invoke before they begin',
    run: async context => {
      const { backend } = context
      const reason = new DOMException('enough', 'AbortError')
      const signal = AbortSignal.abort(reason)
      await rejectsAborted(backend.deployRuntime(backend.defaultRuntime, { signal }), reason, 'deployRuntime')
      let replies = 0
      const onReply = () => {
        replies++
      }
      const invoke = backend.invoke(context.strangeActivation(), { signal, onReply })
      await rejectsAborted(invoke, reason, 'invoke')
      assert.equal(replies, 0, 'replies of an activation that was aborted before')
    },
  },
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
    name: 'an input over the payload limit is refused, and the next call works',
    skip: ({ capabilities }) =>
      capabilities.maxPayloadBytes > 64 * 1024 * 1024
        ? `capabilities.maxPayloadBytes is ${capabilities.maxPayloadBytes}`
        : undefined,
    run: async context => {
      const { fexec, invokes } = context.execute()
      const { maxPayloadBytes } = context.backend.capabilities
      const large = patternBytes(maxPayloadBytes + 1)
      const refused = context.soon(
        fexec.callAsync((bytes: Uint8Array) => bytes.length, large, ONCE),
        'large call',
      )
      await rejectsWith(refused, LithopsError, 'a call over the limit', 'LITHOPS_PAYLOAD_TOO_LARGE')
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
    name: 'a payload of exactly the limit is taken',
    skip: ({ capabilities }) =>
      capabilities.maxPayloadBytes > 64 * 1024 * 1024
        ? `capabilities.maxPayloadBytes is ${capabilities.maxPayloadBytes}`
        : undefined,
    run: async context => {
      const { maxPayloadBytes } = context.backend.capabilities
      const { fexec, invokes } = context.execute()
      const lengthOf = (bytes: Uint8Array) => bytes.length
      const probe = Math.min(100_000, maxPayloadBytes - 20_000)
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
  {
    name: "a function's error arrives with its class and message, and hurts no other call",
    run: async context => {
      const { fexec } = context.execute()
      const odd = (x: number) => {
        if (x % 2 === 1) throw new RangeError(`odd: ${x}`)
        return x
      }
      const futures = fexec.map(odd, [0, 1, 2, 3], { ...ONCE, chunksize: 2 })
      const values = await context.soon(fexec.getResult(futures, { throwExcept: false }), 'map')
      assert.deepEqual(values, [0, undefined, 2, undefined])
      const error = futures[3]?.error
      assert.ok(error instanceof RangeError, `class of the error: ${String(error)}`)
      assert.equal(error.message, 'odd: 3')
      const rejected = fexec.callAsync(async () => Promise.reject(new TypeError('later')), 0, ONCE)
      await assert.rejects(context.soon(rejected, 'call'), { name: 'TypeError', message: 'later' })
    },
  },
  {
    name: 'the context of a call tells its ids and its deadline',
    run: async context => {
      const { fexec } = context.execute()
      const look = (_: number, call: CallContext) => ({
        callId: call.callId,
        jobId: call.jobId,
        executorId: call.executorId,
        attempt: call.attempt,
        leftMs: call.deadlineMs - Date.now(),
      })
      const futures = fexec.map(look, [0, 0], { ...ONCE, timeoutMs: 60_000 })
      const [, second] = await context.soon(fexec.getResult(futures), 'map')
      assert.equal(second?.callId, 1)
      assert.equal(second.jobId, futures[1]?.jobId)
      assert.equal(second.executorId, fexec.executorId)
      assert.equal(second.attempt, 0)
      assert.ok(second.leftMs > 1_000 && second.leftMs < 65_000, `${second.leftMs} ms to the deadline`)
    },
  },
  {
    name: 'invoke ends after the last reply of its calls',
    skip: ({ capabilities }) =>
      capabilities.synchronousReply ? undefined : 'capabilities.synchronousReply is false',
    run: async context => {
      const { fexec, invokes } = context.execute()
      const slow = async (x: number) => {
        await new Promise(done => setTimeout(done, 50))
        return x
      }
      const future = fexec.getResult(fexec.map(slow, [1, 2, 3], { ...ONCE, chunksize: 3 }))
      const values = await context.soon(future, 'map')
      for (const invoke of invokes) await within(invoke.settled, context.timing.stopMs, 'invoke')
      // What comes late comes soon after.
      await new Promise(done => setTimeout(done, 200))
      assert.deepEqual(values, [1, 2, 3])
      for (const invoke of invokes) {
        assert.equal(invoke.repliesAfterEnd, 0, 'replies after the end of invoke')
      }
    },
  },
  {
    name: 'a call over its timeout ends with CallTimeoutError, and the next call works',
    run: async context => {
      const { fexec } = context.execute()
      const { timeoutMs } = context.timing
      const never = fexec.callAsync(() => new Promise(() => {}), 0, { ...ONCE, timeoutMs })
      await rejectsWith(context.soon(never, 'call'), CallTimeoutError, 'a call that never ends')
      assert.equal(
        await context.soon(
          fexec.callAsync((x: number) => x, 1, ONCE),
          'next call',
        ),
        1,
      )
    },
  },
  {
    name: 'a call that never lets go is ended at its timeout',
    skip: hasOwnProcesses,
    run: async context => {
      const { fexec } = context.execute()
      const { timeoutMs } = context.timing
      const busy = () => {
        for (;;);
      }
      const future = fexec.callAsync(busy, 0, { ...ONCE, timeoutMs })
      await rejectsWith(context.soon(future, 'call'), CallTimeoutError, 'a call in a busy loop')
      assert.equal(
        await context.soon(
          fexec.callAsync((x: number) => x, 1, ONCE),
          'next call',
        ),
        1,
      )
    },
  },
  {
    name: 'a worker that exits is recognised, and hurts no other call',
    skip: hasOwnProcesses,
    run: async context => {
      const { fexec } = context.execute()
      const exitAtTwo = (x: number) => {
        if (x === 2) process.exit(3)
        return x
      }
      const futures = fexec.map(exitAtTwo, [1, 2, 3], { ...ONCE, chunksize: 1 })
      const values = await context.soon(fexec.getResult(futures, { throwExcept: false }), 'map')
      assert.deepEqual(values, [1, undefined, 3])
      const lost = Promise.reject(futures[1]?.error)
      await rejectsWith(lost, WorkerLostError, 'a call whose worker exited')
    },
  },
  {
    name: 'a worker that is asked for fresh has run nothing before',
    skip: ({ capabilities }) =>
      capabilities.freshWorkers ? undefined : 'capabilities.freshWorkers is false',
    run: async context => {
      const { fexec } = context.execute(activation => ({ ...activation, freshWorker: true }))
      const count = () => {
        const world = globalThis as { conformanceRuns?: number }
        world.conformanceRuns = (world.conformanceRuns ?? 0) + 1
        return world.conformanceRuns
      }
      for (let i = 0; i < 2; i++) {
        const futures = fexec.map(count, [0, 0, 0, 0], { ...ONCE, chunksize: 1 })
        assert.deepEqual(await context.soon(fexec.getResult(futures), 'map'), [1, 1, 1, 1])
      }
    },
  },
  {
    name: 'a cancelled call ends its activation, and the next call works',
    run: async context => {
      const { fexec, invokes } = context.execute()
      const future = fexec.callAsync(() => new Promise(done => setTimeout(done, 60_000)), 0, ONCE)
      const invoke = await context.firstInvoke(invokes)
      future.cancel()
      await rejectsWith(context.soon(future, 'call'), CallCancelledError, 'a cancelled call')
      if (context.backend.capabilities.synchronousReply) {
        const { status } = await within(invoke.settled, context.timing.stopMs, 'the aborted invoke')
        assert.equal(status, 'rejected', 'the aborted invoke')
      }
      assert.equal(
        await context.soon(
          fexec.callAsync((x: number) => x, 1, ONCE),
          'next call',
        ),
        1,
      )
    },
  },
  {
    name: 'close ends activations under way',
    skip: ({ capabilities }) =>
      capabilities.synchronousReply ? undefined : 'capabilities.synchronousReply is false',
    run: async context => {
      const { fexec, invokes } = context.execute()
      const future = fexec.callAsync(() => new Promise(done => setTimeout(done, 60_000)), 0, ONCE)
      const failed = future.result().catch(error => error)
      const invoke = await context.firstInvoke(invokes)
      await within(context.backend.close(), context.timing.stopMs, 'close')
      const outcome = await within(invoke.settled, context.timing.stopMs, 'invoke of a closed backend')
      assert.equal(outcome.status, 'rejected', 'invoke of a closed backend')
      assert.ok(LithopsError.isInstance(await context.soon(failed, 'call')), 'error of the call')
    },
  },
  {
    name: 'can be closed twice, and refuses activations afterwards',
    run: async context => {
      const { backend } = context
      await backend.close()
      await backend.close()
      const invoke = backend.invoke(context.strangeActivation(), { onReply: () => {} })
      const error = await rejectsWith(invoke, InvocationError, 'invoke', 'LITHOPS_CLOSED')
      assert.equal(error.isRetryable, false, 'isRetryable')
    },
  },
  {
    name: 'prepare never throws',
    skip: ({ prepare }) => (prepare === undefined ? 'the backend has no prepare' : undefined),
    run: async ({ backend }) => {
      backend.prepare?.(backend.defaultRuntime)
      backend.prepare?.(backend.defaultRuntime, 2)
      await backend.close()
      backend.prepare?.(backend.defaultRuntime)
    },
  },
  {
    name: 'clean leaves nothing, and a dry run leaves everything',
    run: async context => {
      const { backend } = context
      await backend.clean()
      const before = namesOf(await backend.listRuntimes())
      const { fexec } = context.execute()
      await context.soon(
        fexec.callAsync((x: number) => x, 1, ONCE),
        'call',
      )
      const planned = await backend.clean({ dryRun: true })
      const deployed = namesOf(await backend.listRuntimes())
      assert.ok(deployed.length >= before.length, 'a dry run removed something')
      assert.deepEqual(await backend.clean(), planned, 'what was planned and what was removed')
      assert.deepEqual(await backend.clean(), [], 'what a second clean found')
      assert.deepEqual(namesOf(await backend.listRuntimes()), before, 'listRuntimes after clean')
    },
  },
]

/**
 * Proves that a compute backend keeps the ComputeBackend contract, alone and under an executor. Registers one test for
 * each case.
 *
 * ```ts
 * computeConformance({ test, createBackend: () => new MyBackend({ region }) })
 * ```
 */
export function computeConformance(options: ComputeConformanceOptions): void {
  const timing = { callMs: 20_000, stopMs: 5_000, timeoutMs: 300, manyCalls: 500, ...options.timing }
  registerCases({
    test: options.test,
    kit: 'compute',
    cases,
    open: async () => {
      const backend = await options.createBackend()
      const context = new ComputeContext(backend, { timing, executorOptions: options.executorOptions ?? {} })
      return { subject: backend, context }
    },
  })
}

function namesOf(runtimes: readonly RuntimeListing[]): string[] {
  return runtimes.map(({ name }) => name).sort()
}
