import assert from 'node:assert/strict'
import type { ComputeBackend } from '../driver/compute-backend.ts'
import { CallCancelledError, CallTimeoutError, WorkerLostError } from '../errors/index.ts'
import type { CallContext } from '../worker/call-context.ts'
import { type ComputeCase, ONCE } from './compute-context.ts'
import { rejectsWith, within } from './kit.ts'

const hasOwnProcesses = (backend: ComputeBackend) =>
  backend.capabilities.killsBusyCalls ? undefined : 'capabilities.killsBusyCalls is false'

/** How calls end: errors, timeouts, workers that break, cancellation. */
export const endingCases: readonly ComputeCase[] = [
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
]
