import { afterAll, describe, expect, test } from 'vitest'
import { FunctionExecutor } from '../../src/index.ts'

// Calls of some milliseconds are given to a worker while it still runs the one before. What becomes of that one must
// not touch them: none of these jobs may run a call again.
const options = { backend: 'localhost', localhost: { worker_processes: 2 } } as const
const fexec = new FunctionExecutor(options)
afterAll(() => fexec.close())

const CALLS = 60
const BAD = 30
const items = Array.from({ length: CALLS }, (_, i) => i)
const once = { retries: { infrastructure: 0, user: 0 } }

async function endings(fn: (i: number) => unknown, more: object = {}): Promise<string[]> {
  const futures = fexec.map(fn, items, { ...once, ...more })
  return Promise.all(
    futures.map(async future => {
      const [outcome] = await Promise.allSettled([future.result()])
      return outcome.status === 'fulfilled'
        ? String(outcome.value)
        : (outcome.reason as { code: string }).code
    }),
  )
}

const expected = (bad: string) => items.map(i => (i === BAD ? bad : String(i)))

describe('calls that wait in a worker for the one before', () => {
  test('run in another when that one kills the process', async () => {
    const ended = await endings(i => {
      const until = performance.now() + 5
      while (performance.now() < until);
      if (i === 30) process.kill(process.pid, 'SIGKILL')
      return i
    })
    expect(ended).toEqual(expected('LITHOPS_WORKER_LOST'))
  })

  test('run in another when that one leaves the process', async () => {
    const ended = await endings(i => {
      const until = performance.now() + 5
      while (performance.now() < until);
      if (i === 30) process.exit(3)
      return i
    })
    expect(ended).toEqual(expected('LITHOPS_WORKER_LOST'))
  })

  test('run in another when that one goes on after its timeout', async () => {
    const ended = await endings(
      async i => {
        const { setTimeout: sleep } = await import('node:timers/promises')
        const shared = globalThis as { spoilt?: boolean }
        if (shared.spoilt) return 'in a process where a function may still be running'
        await sleep(3)
        if (i === 30) {
          shared.spoilt = true
          await sleep(60_000)
        }
        return i
      },
      { timeoutMs: 1000 },
    )
    expect(ended).toEqual(expected('LITHOPS_CALL_TIMEOUT'))
  })

  test('run in another when that one loops for ever', async () => {
    const ended = await endings(
      i => {
        const until = performance.now() + 5
        while (performance.now() < until || i === 30);
        return i
      },
      { timeoutMs: 1000 },
    )
    expect(ended).toEqual(expected('LITHOPS_CALL_TIMEOUT'))
  })

  test('can be cancelled, and the one before it goes on', async () => {
    const futures = fexec.map(
      i => {
        const until = performance.now() + 5
        while (performance.now() < until);
        return i
      },
      items,
      once,
    )
    await futures[20]?.result()
    const invoked = futures.filter(future => future.state === 'invoked')
    for (const future of invoked) future.cancel()
    const outcomes = await Promise.allSettled(futures.map(future => future.result()))
    outcomes.forEach((outcome, i) => {
      const future = futures[i]
      if (future === undefined) return
      if (invoked.includes(future))
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'LITHOPS_CALL_CANCELLED' } })
      else expect(outcome).toEqual({ status: 'fulfilled', value: i })
    })
  })
})
