import type { ComputeBackend } from '@lithops/core/driver'
import { computeConformance } from '@lithops/core/testing'
import { expect } from 'vitest'
import { rabbitmq, withRealPart } from '../real-parts/index.ts'
import type { MinioExecutors } from './with-minio.ts'

const TEST_MS = 120_000

export interface BatchKitOptions {
  readonly storage: MinioExecutors
  /** Opens a backend of batches with these keys of its section beside those that it needs. */
  readonly open: (section?: Record<string, unknown>) => Promise<ComputeBackend>
}

/** All of the kit on a backend of batches, with each of the ways home; and with functions in the images. */
export function batchKit({ storage, open }: BatchKitOptions): void {
  const timing = { callMs: 90_000, timeoutMs: 1_000, manyCalls: 60 }
  const timeout = TEST_MS

  computeConformance({
    test: (name, run) => storage.test(`storage: ${name}`, run, { timeout }),
    createBackend: () => open(),
    get executorOptions() {
      return storage.options
    },
    timing,
  })

  const broker = withRealPart(rabbitmq)
  computeConformance({
    test: (name, run) => broker.test(`RabbitMQ: ${name}`, run, { timeout }),
    createBackend: () => open(),
    get executorOptions() {
      const config = { rabbitmq: { amqp_url: broker.part.url } }
      return { storage: 'storageless', monitoring: 'rabbitmq', config } as const
    },
    timing,
  })

  const baking = /whose code no activation carries/
  computeConformance({
    test: (name, run) => (baking.test(name) ? storage.test(`baked: ${name}`, run, { timeout }) : undefined),
    createBackend: () => open({ runtime_include_function: true }),
    get executorOptions() {
      return storage.options
    },
    timing,
  })
}

export interface BatchContainerKitOptions extends BatchKitOptions {
  /** Registers a test that needs containers and the storage, and takes up to three minutes. */
  readonly test: (name: string, run: () => Promise<void> | void) => void
  /** Looks at the stand-in after a call has had too much memory; its error is given. Default: nothing. */
  readonly seen?: (error: { readonly message: string }) => Promise<void> | void
}

/** What is another thing in containers: the worker is the first process, and the kernel holds it to its memory. */
export function batchContainerKit({ storage, open, test, seen }: BatchContainerKitOptions): void {
  const isOfEnds =
    /gives its value|several calls|its timeout, and|never lets go|exits is recognised|error arrives|cancelled call ends/

  computeConformance({
    test: (name, run) => (isOfEnds.test(name) ? test(name, run) : undefined),
    createBackend: () => open(),
    get executorOptions() {
      return storage.options
    },
    timing: { callMs: 90_000, timeoutMs: 2_000 },
  })

  test('too much memory is told as that', async () => {
    const backend = await open()
    await using fexec = storage.open(backend)
    const hoard = fexec.callAsync(
      async () => {
        const kept: Buffer[] = []
        for (;;) {
          kept.push(Buffer.alloc(16 * 1024 * 1024, 1))
          await new Promise(done => setTimeout(done, 5))
        }
      },
      0,
      { retries: { infrastructure: 0, user: 0 } },
    )
    const error = await hoard.result().then(
      () => expect.fail('the call has all the memory that it wants'),
      (thrown: Error) => thrown,
    )
    expect(error).toMatchObject({ code: 'LITHOPS_CALL_OUT_OF_MEMORY' })
    await seen?.(error)
    await backend.clean()
  })
}
