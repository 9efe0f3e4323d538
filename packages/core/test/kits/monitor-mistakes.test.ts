/** Small deliberate mistakes of monitors, each of which must fail the case named for it. */
import { describe, test } from 'vitest'
import type { JobKey, WatchOptions } from '../../src/driver/monitor.ts'
import { MemoryMonitor, monitorConformance, openMemoryPublisher } from '../../src/testing/index.ts'
import { mustFail } from './harness.ts'

const mistakes: Record<string, { readonly fails: string; readonly Monitor: new () => MemoryMonitor }> = {
  'is of another version': {
    fails: 'has a name and the contract version',
    Monitor: class extends MemoryMonitor {
      override readonly specVersion = 2 as never
    },
  },
  'hears only what is said while it listens': {
    fails: 'what is published before the watching begins arrives',
    Monitor: class extends MemoryMonitor {
      #isWatching = false
      override watch(job: JobKey, options: WatchOptions) {
        this.#isWatching = true
        return super.watch(job, options)
      }
      override deliver(job: JobKey, frames: Uint8Array) {
        if (this.#isWatching) super.deliver(job, frames)
      }
    },
  },
  'watches although its signal is aborted': {
    fails: 'a watching whose signal is aborted already ends at once',
    Monitor: class extends MemoryMonitor {
      override async *watch(job: JobKey, options: WatchOptions) {
        if (options.signal.aborted) await new Promise(() => {})
        yield* super.watch(job, options)
      }
    },
  },
  'sleeps while no call is open': {
    fails: 'delivers while no call is open',
    Monitor: class extends MemoryMonitor {
      override async *watch(job: JobKey, options: WatchOptions) {
        for await (const frames of super.watch(job, options)) if (options.openCalls() > 0) yield frames
      }
    },
  },
  'loses patience': {
    fails: 'a watching that nothing happens on goes on, and frames that come late still arrive',
    Monitor: class extends MemoryMonitor {
      override watch(job: JobKey, options: WatchOptions) {
        const signal = AbortSignal.any([options.signal, AbortSignal.timeout(100)])
        return super.watch(job, { ...options, signal })
      }
    },
  },
  'loses every second publishing': {
    fails: 'delivers what was published together, of several calls of one block',
    Monitor: class extends MemoryMonitor {
      #published = 0
      override deliver(job: JobKey, frames: Uint8Array) {
        if (this.#published++ % 2 === 0) super.deliver(job, frames)
      }
    },
  },
  'delivers again what was there when its connection broke': {
    fails: 'connections that break lose nothing and deliver nothing twice',
    Monitor: class extends MemoryMonitor {
      #last: [JobKey, Uint8Array] | undefined
      override deliver(job: JobKey, frames: Uint8Array) {
        this.#last = [job, frames]
        super.deliver(job, frames)
      }
      override interrupt() {
        if (this.#last !== undefined) super.deliver(...this.#last)
      }
    },
  },
  'cannot be closed twice': {
    fails: 'closes twice, and ends what is watched',
    Monitor: class extends MemoryMonitor {
      #isClosed = false
      override async close() {
        if (this.#isClosed) throw new Error('closed already')
        this.#isClosed = true
        await super.close()
      }
    },
  },
}

describe('the monitor kit catches a monitor that', () => {
  test.each(Object.entries(mistakes))('%s', (_, { fails, Monitor }) =>
    mustFail(
      kitTest =>
        monitorConformance({
          test: kitTest,
          timing: { deliveryMs: 500 },
          createMonitor: () => {
            const monitor = new Monitor()
            return { monitor, openPublisher: openMemoryPublisher, interrupt: async () => monitor.interrupt() }
          },
        }),
      `monitor: ${fails}`,
    ),
  )
})
