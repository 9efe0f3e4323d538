import assert from 'node:assert/strict'
import type { ComputeBackend } from '../driver/compute-backend.ts'
import { CallTimeoutError, WorkerLostError } from '../errors/index.ts'
import type { CallContext } from '../worker/call-context.ts'
import { type ComputeCase, type ComputeContext, ONCE } from './compute-context.ts'
import { eventually, rejectsWith } from './kit.ts'

/** Calls of a case: enough to meet, and not more than a worker takes at once. */
const MOST_CALLS = 8
/** Beginnings are told by then, where they are. */
const TOLD_MS = 1_000

const oneAtATime = ({ capabilities }: ComputeBackend) =>
  (capabilities.activationsPerWorker ?? 1) > 1 ? undefined : 'capabilities.activationsPerWorker is 1'

const callsOf = ({ backend: { capabilities } }: ComputeContext) =>
  Array.from({ length: Math.min(capabilities.activationsPerWorker ?? 1, MOST_CALLS) }, (_, i) => i)

/** What calls in one worker see of each other. */
interface MeetingPlace {
  conformance?: { present: number; haveMet: boolean }
}

/** Activations that run at the same time in one worker do not see each other. */
export const sharingCases: readonly ComputeCase[] = [
  {
    name: 'activations at the same time in a worker have their own context and result',
    skip: oneAtATime,
    run: async context => {
      const { fexec } = context.execute()
      const look = async (x: number, call: CallContext) => {
        const world = globalThis as MeetingPlace
        world.conformance ??= { present: 0, haveMet: false }
        const place = world.conformance
        place.present++
        for (let i = 0; !place.haveMet && i < 200; i++) {
          if (place.present > 1) place.haveMet = true
          else await new Promise(done => setTimeout(done, 5))
        }
        place.present--
        return { x, callId: call.callId, jobId: call.jobId, hasMet: place.haveMet }
      }
      const futures = fexec.map(look, callsOf(context), { ...ONCE, chunksize: 1 })
      const seen = await context.soon(fexec.getResult(futures), 'map')
      for (const [i, { x, callId, jobId }] of seen.entries())
        assert.deepEqual([x, callId, jobId], [i, i, futures[i]?.jobId], `call ${i}`)
      assert.ok(
        seen.some(({ hasMet }) => hasMet),
        'no two activations met in a worker, and capabilities.activationsPerWorker says that they may',
      )
    },
  },
  {
    name: 'activations at the same time in a worker have their own environment',
    skip: oneAtATime,
    run: async context => {
      const { fexec } = context.execute()
      const look = async (x: number) => {
        const { env } = process
        const before = [env.CONFORMANCE_CALL, env.CONFORMANCE_REMOVED, env.CONFORMANCE_JOB]
        env.CONFORMANCE_CALL = `${x}`
        delete env.CONFORMANCE_REMOVED
        await new Promise(done => setTimeout(done, 50))
        return {
          before,
          call: env.CONFORMANCE_CALL,
          isListed: Object.keys(env).includes('CONFORMANCE_REMOVED'),
        }
      }
      const run = (job: string, calls: readonly number[]) =>
        fexec.getResult(
          fexec.map(look, calls, {
            ...ONCE,
            chunksize: 1,
            extraEnv: { CONFORMANCE_JOB: job, CONFORMANCE_REMOVED: 'no' },
          }),
        )
      const calls = callsOf(context)
      const half = Math.ceil(calls.length / 2)
      const both = Promise.all([run('one', calls.slice(0, half)), run('two', calls.slice(half))])
      const [one, two] = await context.soon(both, 'two maps')
      for (const [i, seen] of [...one, ...two].entries()) {
        const job = i < half ? 'one' : 'two'
        assert.deepEqual(
          seen,
          { before: [undefined, 'no', job], call: `${i}`, isListed: false },
          `environment of call ${i}`,
        )
      }
      const later = fexec.callAsync(() => process.env.CONFORMANCE_CALL ?? 'nothing', 0, ONCE)
      assert.equal(await context.soon(later, 'a later call'), 'nothing', 'what is left of the environment')
    },
  },
  {
    name: 'activations at the same time in a worker have their own logs',
    skip: oneAtATime,
    run: async context => {
      const { fexec } = context.execute()
      const write = async (x: number) => {
        for (const part of ['a', 'b', 'c']) {
          console.log(`${part} of ${x}`)
          await new Promise(done => setTimeout(done, 10))
        }
      }
      const calls = callsOf(context)
      const futures = fexec.map(write, calls, { ...ONCE, chunksize: 1 })
      await context.soon(fexec.getResult(futures), 'map')
      for (const x of calls)
        assert.equal(futures[x]?.logs, `a of ${x}\nb of ${x}\nc of ${x}\n`, `logs of call ${x}`)
    },
  },
  {
    name: 'a long call does not hold back short ones in its worker',
    skip: oneAtATime,
    run: async context => {
      const { fexec } = context.execute()
      const { maxActivations, activationsPerWorker = 1 } = context.backend.capabilities
      // a long one in every worker that there can be, so that no short one finds a worker of its own
      const workers = Math.max(1, Math.floor(maxActivations / activationsPerWorker))
      const wait = (_: number, { signal }: CallContext) =>
        new Promise(done => {
          const timer = setTimeout(done, 60_000)
          signal.addEventListener('abort', () => {
            clearTimeout(timer)
            done('stopped')
          })
        })
      const long = fexec.map(
        wait,
        Array.from({ length: Math.min(workers, MOST_CALLS) }, () => 0),
        {
          ...ONCE,
          chunksize: 1,
        },
      )
      // short ones that come first are held back by nothing; not every way home tells of beginnings
      await eventually(
        async () => long.every(({ isRunning }) => isRunning) || undefined,
        TOLD_MS,
        'long calls that run',
      ).catch(() => {})
      const short = fexec.map((x: number) => x + 1, callsOf(context), { ...ONCE, chunksize: 1 })
      const values = await context.soon(fexec.getResult(short), 'short calls beside long ones')
      assert.deepEqual(
        values,
        callsOf(context).map(x => x + 1),
      )
      for (const future of long) {
        assert.equal(future.isDone, false, 'a long call has ended')
        future.cancel()
      }
    },
  },
  {
    name: 'a call over its timeout, or one that exits, hurts no call beside it',
    skip: oneAtATime,
    run: async context => {
      const { fexec } = context.execute()
      const { timeoutMs } = context.timing
      const beside = async ([x, ms]: readonly [number, number]) => {
        await new Promise(done => setTimeout(done, ms))
        return x
      }
      const [, , ...others] = callsOf(context)
      const inputs = (others.length === 0 ? [0] : others).map(x => [x, timeoutMs * 3] as const)
      const futures = fexec.map(beside, inputs, { ...ONCE, chunksize: 1 })
      const exits = fexec.callAsync(() => process.exit(3), 0, ONCE)
      await rejectsWith(context.soon(exits, 'call'), WorkerLostError, 'a call that exits')
      const never = fexec.callAsync(() => new Promise(() => {}), 0, { ...ONCE, timeoutMs })
      await rejectsWith(context.soon(never, 'call'), CallTimeoutError, 'a call that never ends')
      assert.deepEqual(
        await context.soon(fexec.getResult(futures), 'calls beside them'),
        inputs.map(([x]) => x),
      )
    },
  },
]
