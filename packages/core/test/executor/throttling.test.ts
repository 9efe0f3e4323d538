import { expect, test } from 'vitest'
import type { Activation, ComputeBackend, InvokeOptions } from '../../src/driver/index.ts'
import { FunctionExecutor, InvocationError } from '../../src/index.ts'
import { MemoryCompute } from '../../src/testing/index.ts'

/** As many activations at once as the executor likes to send, of which the platform takes `quota`. */
class Throttling extends MemoryCompute {
  override readonly capabilities: ComputeBackend['capabilities']
  underWay = 0
  most = 0
  refusals = 0
  readonly #quota: number
  readonly #details: Readonly<Record<string, unknown>>

  constructor(quota: number, details: Readonly<Record<string, unknown>> = {}) {
    super()
    this.capabilities = { ...new MemoryCompute().capabilities, maxActivations: 1000 }
    this.#quota = quota
    this.#details = details
  }

  override async invoke(activation: Activation, options: InvokeOptions) {
    if (this.underWay >= this.#quota) {
      this.refusals++
      await new Promise(setImmediate)
      throw new InvocationError('Rate exceeded', { isThrottled: true, details: this.#details })
    }
    this.underWay++
    this.most = Math.max(this.most, this.underWay)
    try {
      return await super.invoke(activation, options)
    } finally {
      this.underWay--
    }
  }
}

test('throttled to ten while a thousand calls wait: every call ends once, without a retry', async () => {
  const backend = new Throttling(10)
  await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
  const items = Array.from({ length: 1000 }, (_, i) => i)
  const futures = fexec.map(
    async (x: number) => {
      await new Promise(done => setTimeout(done, 2))
      return x * 2
    },
    items,
    { chunksize: 1 },
  )
  expect(await fexec.getResult(futures)).toEqual(items.map(x => x * 2))
  expect(futures.every(future => future.stats.retryCount === 0)).toBe(true)
  expect(backend.refusals).toBeGreaterThan(0)
  // the first wave, and then seldom more than one for a round of ten
  expect(backend.refusals).toBeLessThan(2000)
  expect(backend.most).toBe(10)
})

test('refused calls can be cancelled, and the executor can be closed', async () => {
  const backend = new Throttling(0, { retryAfterMs: 60_000 })
  const fexec = new FunctionExecutor({ backend })
  const futures = fexec.map((x: number) => x, [1, 2, 3])
  await expect.poll(() => backend.refusals).toBe(3)
  futures[0]?.cancel()
  await expect(futures[0]?.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_CANCELLED' })
  await fexec.close()
  await expect(futures[1]?.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_CANCELLED' })
  expect(backend.refusals).toBe(3)
})
