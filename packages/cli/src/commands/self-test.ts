import { CallTimeoutError, type FunctionExecutor, NotSupportedError } from '@lithops/core'
import { type GlobalOptions, print, withExecutor } from '../global-options.ts'
import { table } from '../table.ts'

interface Check {
  readonly name: string
  /** Throws when the check fails; returns a word for the table when it could not be made. */
  run(fexec: FunctionExecutor): Promise<string | undefined>
}

interface Outcome {
  readonly name: string
  readonly state: 'passed' | 'failed' | 'skipped'
  readonly ms: number
  readonly detail: string
}

const TIMEOUT_MS = 500

const CHECKS: readonly Check[] = [
  {
    name: 'a call returns the value of a closure',
    async run(fexec) {
      const factor = 6
      same(await fexec.callAsync((x: number) => x * factor, 7), 42)
      return undefined
    },
  },
  {
    name: 'a map keeps the order of its items',
    async run(fexec) {
      same(
        (
          await fexec.getResult(
            fexec.map((x: number) => x * x, [1, 2, 3, 4]),
            { progress: false },
          )
        ).join(),
        '1,4,9,16',
      )
      return undefined
    },
  },
  {
    name: 'a map-reduce adds up',
    async run(fexec) {
      same(
        await fexec.mapReduce(
          (x: number) => x,
          [1, 2, 3],
          values => values.reduce((a, b) => a + b, 0),
        ),
        6,
      )
      return undefined
    },
  },
  {
    name: 'bytes and dates arrive as they were',
    async run(fexec) {
      const value = { bytes: new Uint8Array([1, 2, 255]), when: new Date(5), set: new Set(['a']) }
      const back = await fexec.callAsync((x: typeof value) => x, value)
      same([...back.bytes, back.when.getTime(), back.set.has('a')].join(), '1,2,255,5,true')
      return undefined
    },
  },
  {
    name: 'an error arrives with its class and message',
    async run(fexec) {
      const error = await fexec
        .callAsync(() => {
          throw new RangeError('as expected')
        }, 0)
        .catch(e => e)
      same(error instanceof RangeError && error.message, 'as expected')
      return undefined
    },
  },
  {
    name: 'a call over its time limit is ended',
    async run(fexec) {
      const endless = fexec.callAsync(() => new Promise<void>(() => setTimeout(() => {}, 60_000)), 0, {
        timeoutMs: TIMEOUT_MS,
      })
      same((await endless.catch(e => e)) instanceof CallTimeoutError, true)
      return undefined
    },
  },
  {
    name: 'storage keeps what a function writes',
    async run(fexec) {
      const key = `lithops.test/${fexec.executorId}`
      try {
        const storage = await fexec.storage()
        await fexec.callAsync(async (k: string, context) => {
          await context.storage.put(k, 'kept')
        }, key)
        same(await storage.get(key, { as: 'text' }), 'kept')
        await storage.delete(key)
        return undefined
      } catch (error) {
        if (NotSupportedError.isInstance(error) && error.code === 'LITHOPS_STORAGELESS')
          return 'no storage is configured'
        throw error
      }
    },
  },
]

/** `lithops test` */
export function selfTest(options: GlobalOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const outcomes: Outcome[] = []
    for (const check of CHECKS) outcomes.push(await outcomeOf(check, fexec))
    const failed = outcomes.filter(outcome => outcome.state === 'failed').length
    const rows = outcomes.map(({ name, state, ms, detail }) => [name, state, `${ms.toFixed(0)} ms`, detail])
    const skipped = outcomes.filter(outcome => outcome.state === 'skipped').length
    const passed =
      skipped === 0 ? 'All checks passed.' : `${outcomes.length - skipped} checks passed, ${skipped} skipped.`
    const summary = failed === 0 ? passed : `${failed} of ${outcomes.length} checks failed.`
    print(
      options,
      { ok: failed === 0, checks: outcomes },
      `${await table(['Check', 'Result', 'Time', ''], rows)}\n${summary}`,
    )
    return failed === 0
  })
}

async function outcomeOf(check: Check, fexec: FunctionExecutor): Promise<Outcome> {
  const began = performance.now()
  try {
    const skipped = await check.run(fexec)
    const state = skipped === undefined ? 'passed' : 'skipped'
    return { name: check.name, state, ms: performance.now() - began, detail: skipped ?? '' }
  } catch (error) {
    // a backend that cannot be had at all is the command's error, not a failed check
    if (
      typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      error.code === 'LITHOPS_DRIVER_NOT_FOUND'
    )
      throw error
    const detail = error instanceof Error ? error.message : String(error)
    return { name: check.name, state: 'failed', ms: performance.now() - began, detail }
  }
}

function same(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`got ${String(got)} instead of ${String(wanted)}`)
}
