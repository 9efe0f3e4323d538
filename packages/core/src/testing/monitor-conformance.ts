import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ensureAsyncDispose } from '../async-dispose.ts'
import {
  CALLS_PER_BLOCK,
  type JobKey,
  MONITOR_SPEC_VERSION,
  type Monitor,
  type PublisherAddress,
  type StatusPublisher,
} from '../driver/monitor.ts'
import { forEachAtOnce, type KitCase, patternBytes, registerCases, type TestFunction, within } from './kit.ts'

export interface MonitorTiming {
  /** How long a published frame may take to arrive, and a watching to end. Default: 5,000. */
  readonly deliveryMs?: number
  /** Size of the largest frame that the way home must take. Default: 262,144. */
  readonly maxFrameBytes?: number
  /** How many calls the large case has. Default: 300. */
  readonly manyCalls?: number
}

/** A monitor with the worker's half beside it, as the kit needs them. */
export interface MonitorUnderTest {
  readonly monitor: Monitor
  /** Opens the worker's half for an address, as a worker would: from its JSON alone. */
  openPublisher(address: PublisherAddress): StatusPublisher | Promise<StatusPublisher>
  /** Names of what a job left on the way (objects, queues). The kit wants none after `forget` and `close`. */
  leftovers?(job: JobKey): Promise<readonly string[]>
  /**
   * Breaks every connection of both halves, as a network does for a moment. Absent: the monitor has none, and the cases of
   * broken connections are skipped.
   */
  interrupt?(): Promise<void>
  /** Closes what was made beside the monitor. */
  close?(): Promise<void>
}

export interface MonitorConformanceOptions {
  readonly test: TestFunction
  /** Makes a monitor; each case asks for one and closes it. */
  readonly createMonitor: () => MonitorUnderTest | Promise<MonitorUnderTest>
  readonly timing?: MonitorTiming
}

class MonitorContext implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  readonly timing: Required<MonitorTiming>
  readonly job: JobKey = { executorId: `conformance-${randomUUID().slice(0, 8)}`, jobId: 'M001' }
  readonly #subject: MonitorUnderTest
  readonly #publishers: StatusPublisher[] = []
  readonly #watchings: Watching[] = []
  readonly #jobs = new Set<JobKey>()

  constructor(subject: MonitorUnderTest, timing: Required<MonitorTiming>) {
    this.#subject = subject
    this.timing = timing
  }

  get monitor(): Monitor {
    return this.#subject.monitor
  }

  get interrupt() {
    return this.#subject.interrupt?.bind(this.#subject)
  }

  get leftovers() {
    return this.#subject.leftovers?.bind(this.#subject)
  }

  watch(job = this.job, openCalls = 1): Watching {
    const watching = new Watching(this.monitor, job, openCalls)
    this.#watchings.push(watching)
    return watching
  }

  async publisher(job = this.job): Promise<StatusPublisher> {
    this.#jobs.add(job)
    const address = await this.monitor.publisherAddress(job)
    const travelled = JSON.parse(JSON.stringify(address)) as PublisherAddress
    const publisher = await this.#subject.openPublisher(travelled)
    this.#publishers.push(publisher)
    return publisher
  }

  /** Waits until all frames are there. */
  async arrives(watching: Watching, expected: readonly Uint8Array[], what: string): Promise<void> {
    const missing = () => expected.filter(frames => !watching.has(frames)).length
    const end = performance.now() + this.timing.deliveryMs
    while (missing() > 0 && performance.now() < end) {
      if (watching.error !== undefined) throw watching.error
      await watching.next(end - performance.now())
    }
    assert.equal(missing(), 0, `${what}: frames that did not arrive in ${this.timing.deliveryMs} ms`)
  }

  async ends(watching: Watching, what: string): Promise<void> {
    await within(watching.ended, this.timing.deliveryMs, what)
    assert.equal(watching.error, undefined, `${what}: error of the watching`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watching of this.#watchings) watching.abort()
    for (const publisher of this.#publishers) await publisher.close()
    for (const job of this.#jobs) await this.monitor.forget(job)
    await this.monitor.close()
    await this.#subject.close?.()
  }
}

/** One watching, read to its end in the background. */
class Watching {
  readonly ended: Promise<void>
  error: unknown
  readonly received: Uint8Array[] = []
  readonly #texts = new Set<string>()
  readonly #controller = new AbortController()
  #wake: () => void = () => {}

  constructor(monitor: Monitor, job: JobKey, openCalls: number) {
    const options = { signal: this.#controller.signal, openCalls: () => openCalls }
    this.ended = this.#read(monitor, job, options)
  }

  abort(): void {
    this.#controller.abort()
  }

  has(frames: Uint8Array): boolean {
    return this.#texts.has(Buffer.from(frames).toString('latin1'))
  }

  /** Resolves when something more arrived, or the time is over. */
  async next(limitMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, limitMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #read(monitor: Monitor, job: JobKey, options: Parameters<Monitor['watch']>[1]): Promise<void> {
    try {
      for await (const frames of monitor.watch(job, options)) {
        this.received.push(frames)
        this.#texts.add(Buffer.from(frames).toString('latin1'))
        this.#wake()
      }
    } catch (error) {
      this.error = error
    }
    this.#wake()
  }
}

const cases: KitCase<MonitorUnderTest, MonitorContext>[] = [
  {
    name: 'has a name and the contract version',
    run: async ({ monitor }) => {
      assert.equal(monitor.specVersion, MONITOR_SPEC_VERSION)
      assert.match(monitor.name, /^[a-z][a-z0-9_]*$/)
    },
  },
  {
    name: "a publisher's address is plain JSON with a kind",
    run: async ({ monitor, job }) => {
      const address = await monitor.publisherAddress(job)
      assert.equal(typeof address.kind, 'string')
      assert.deepEqual(JSON.parse(JSON.stringify(address)), address)
      assert.deepEqual(await monitor.publisherAddress(job), address, 'the address asked for again')
    },
  },
  {
    name: 'delivers what a worker publishes, byte by byte',
    run: async context => {
      const watching = context.watch()
      const publisher = await context.publisher()
      const frames = [1, 2, 255, 256, 65_536, context.timing.maxFrameBytes].map(n => patternBytes(n, n))
      for (const [i, bytes] of frames.entries()) {
        await publisher.publish(bytes, context.job, { callId: i, attempt: 0 })
      }
      await context.arrives(watching, frames, 'frames of several sizes')
    },
  },
  {
    name: 'delivers several publishings of one call, and of its attempts',
    run: async context => {
      const watching = context.watch()
      const frames = Array.from({ length: 9 }, (_, i) => patternBytes(20, i))
      const publishers = [await context.publisher(), await context.publisher(), await context.publisher()]
      for (const [i, bytes] of frames.entries()) {
        const attempt = Math.floor(i / 3) % 2 // The first and the last worker run the same attempt.
        const publisher = publishers[Math.floor(i / 3)] as StatusPublisher
        await publisher.publish(bytes, context.job, { callId: 7, attempt })
      }
      await context.arrives(watching, frames, 'frames of one call')
    },
  },
  {
    name: 'delivers what many workers publish at once, none lost',
    run: async context => {
      const watching = context.watch()
      const calls = Array.from({ length: context.timing.manyCalls }, (_, i) => i)
      await forEachAtOnce(
        [calls.filter(i => i % 3 === 0), calls.filter(i => i % 3 === 1), calls.filter(i => i % 3 === 2)],
        3,
        async own => {
          const publisher = await context.publisher()
          for (const callId of own)
            await publisher.publish(patternBytes(40, callId), context.job, { callId, attempt: 0 })
          await publisher.close()
        },
      )
      await context.arrives(
        watching,
        calls.map(i => patternBytes(40, i)),
        'frames of many calls',
      )
    },
  },
  {
    name: 'what is published before the watching begins arrives',
    run: async context => {
      const publisher = await context.publisher()
      await publisher.publish(patternBytes(30), context.job, { callId: 0, attempt: 0 })
      await context.arrives(context.watch(), [patternBytes(30)], 'early frame')
    },
  },
  {
    name: 'delivers while no call is open',
    run: async context => {
      const watching = context.watch(context.job, 0)
      const publisher = await context.publisher()
      await publisher.publish(patternBytes(30), context.job, { callId: 0, attempt: 0 })
      await context.arrives(watching, [patternBytes(30)], 'frame of an idle watching')
    },
  },
  {
    name: 'keeps jobs apart whose names begin alike',
    run: async context => {
      const { executorId } = context.job
      const jobs = ['M1', 'M10', 'M1-', 'M01'].map(jobId => ({ executorId, jobId }))
      jobs.push({ executorId: `${executorId}0`, jobId: 'M1' })
      const watchings = jobs.map(job => context.watch(job))
      for (const [i, job] of jobs.entries()) {
        const publisher = await context.publisher(job)
        await publisher.publish(patternBytes(30, i), job, { callId: 0, attempt: 0 })
      }
      for (const [i, watching] of watchings.entries()) {
        await context.arrives(watching, [patternBytes(30, i)], `frame of job ${jobs[i]?.jobId}`)
      }
      for (const [i, watching] of watchings.entries()) {
        const strange = watching.received.filter(bytes => !Buffer.from(bytes).equals(patternBytes(30, i)))
        assert.equal(strange.length, 0, `frames of other jobs at job ${jobs[i]?.jobId}`)
      }
      await context.monitor.forget(jobs[0] as JobKey)
      const second = jobs[1] as JobKey
      const publisher = await context.publisher(second)
      await publisher.publish(patternBytes(30, 99), second, { callId: 1, attempt: 0 })
      await context.arrives(
        watchings[1] as Watching,
        [patternBytes(30, 99)],
        'frame after a sibling was forgotten',
      )
    },
  },
  {
    name: 'a watching that nothing happens on goes on, and frames that come late still arrive',
    run: async context => {
      const watching = context.watch()
      const publisher = await context.publisher()
      let isEnded = false
      void watching.ended.then(() => {
        isEnded = true
      })
      await new Promise(resolve => setTimeout(resolve, 300))
      assert.equal(isEnded, false, 'the watching ended by itself')
      await publisher.publish(patternBytes(30), context.job, { callId: 0, attempt: 0 })
      await context.arrives(watching, [patternBytes(30)], 'late frame')
      assert.equal(isEnded, false, 'the watching ended by itself')
    },
  },
  {
    name: 'delivers what was published together, of several calls of one block',
    run: async context => {
      const watching = context.watch()
      const publisher = await context.publisher()
      const frames = [patternBytes(300, 1), patternBytes(300, 2)]
      for (const [block, bytes] of frames.entries()) {
        const callId = block * CALLS_PER_BLOCK
        const lastCallId = callId + CALLS_PER_BLOCK - 1
        await publisher.publish(bytes, context.job, { callId, lastCallId, attempt: 0 })
      }
      await context.arrives(watching, frames, 'frames of several calls')
    },
  },
  {
    name: 'connections that break lose nothing and deliver nothing twice',
    skip: subject =>
      subject.interrupt === undefined ? 'the monitor has no connections to break' : undefined,
    run: async context => {
      const watching = context.watch()
      const publisher = await context.publisher()
      const frames = Array.from({ length: 12 }, (_, i) => patternBytes(50, i))
      for (const [i, bytes] of frames.entries()) {
        const published = publisher.publish(bytes, context.job, { callId: i, attempt: 0 })
        // before, while and after something is published
        if (i % 4 === 1) await context.interrupt?.()
        await published
        if (i % 4 === 3) await context.interrupt?.()
      }
      await context.arrives(watching, frames, 'frames over connections that broke')
      assert.equal(watching.received.length, frames.length, 'number of deliveries')
      const order = watching.received.map(bytes =>
        frames.findIndex(other => Buffer.from(bytes).equals(other)),
      )
      assert.deepEqual(order, [...frames.keys()], 'order of what one worker published')
    },
  },
  {
    name: 'an aborted signal ends the watching without an error',
    run: async context => {
      const [quiet, busy] = [context.watch(), context.watch({ ...context.job, jobId: 'M002' })]
      const publisher = await context.publisher()
      await publisher.publish(patternBytes(30), context.job, { callId: 0, attempt: 0 })
      await context.arrives(quiet, [patternBytes(30)], 'frame')
      quiet.abort()
      busy.abort()
      await context.ends(quiet, 'watching that had frames')
      await context.ends(busy, 'watching that had none')
    },
  },
  {
    name: 'a watching whose signal is aborted already ends at once',
    run: async context => {
      const signal = AbortSignal.abort()
      const frames = context.monitor.watch(context.job, { signal, openCalls: () => 1 })
      const first = await within(
        Promise.resolve(frames[Symbol.asyncIterator]().next()),
        context.timing.deliveryMs,
        'first step of the watching',
      )
      assert.equal(first.done, true)
    },
  },
  {
    name: 'forget leaves nothing, and may be called twice or for nothing',
    run: async context => {
      await context.monitor.forget(context.job)
      const watching = context.watch()
      const publisher = await context.publisher()
      for (let callId = 0; callId < 5; callId++) {
        await publisher.publish(patternBytes(30, callId), context.job, { callId, attempt: 0 })
      }
      await context.arrives(
        watching,
        [0, 1, 2, 3, 4].map(i => patternBytes(30, i)),
        'frames',
      )
      watching.abort()
      await context.ends(watching, 'watching')
      await publisher.close()
      await context.monitor.forget(context.job)
      await context.monitor.forget(context.job)
      await context.monitor.close()
      if (context.leftovers !== undefined) {
        assert.deepEqual(await context.leftovers(context.job), [], 'what the job left')
      }
    },
  },
  {
    name: 'closes twice, and ends what is watched',
    run: async context => {
      const watching = context.watch()
      const publisher = await context.publisher()
      await publisher.close()
      await publisher.close()
      await context.monitor.close()
      await context.monitor.close()
      await context.ends(watching, 'watching of a closed monitor')
    },
  },
]

/**
 * Proves that a monitor and its worker's half keep the Monitor contract. Registers one test for each case.
 *
 * ```ts
 * monitorConformance({ test, createMonitor: () => ({ monitor: new MyMonitor(url), openPublisher }) })
 * ```
 */
export function monitorConformance(options: MonitorConformanceOptions): void {
  const timing = { deliveryMs: 5_000, maxFrameBytes: 262_144, manyCalls: 300, ...options.timing }
  registerCases({
    test: options.test,
    kit: 'monitor',
    cases,
    open: async () => {
      const subject = await options.createMonitor()
      return { subject, context: new MonitorContext(subject, timing) }
    },
  })
}
