import {
  type Activation,
  type ActivationReport,
  type InvocationError,
  type LithopsError,
  WorkerLostError,
} from '@lithops/core/driver'
import { expect, onTestFinished, vi } from 'vitest'
import type {
  ArrayLimits,
  ArrayPlace,
  ArrayPlatform,
  ArrayStart,
  ArrayView,
  LookOptions,
  RefusedStart,
  StartedRun,
} from '../src/batch/array-platform.ts'
import { Batches } from '../src/batch/batches.ts'
import { readBatchEntry, unpackBatch } from '../src/batch-file.ts'

/** What a platform of a script refuses with: an error of its API. */
export class ScriptedError extends Error {
  constructor(
    readonly kind: RefusedStart['kind'],
    message: string = kind,
  ) {
    super(message)
  }
}

/** A run of the script: the test says what becomes of it. */
export class ScriptedRun implements StartedRun {
  readonly name: string
  readonly start: ArrayStart
  isRemoved = false
  looks = 0
  lateLooks = 0
  removals = 0
  /** Of the next looks, one after the other; thrown. */
  readonly lookErrors: Error[] = []
  isOver = false
  said = ''
  readonly succeeded: number[] = []
  readonly failed: number[] = []
  readonly running = new Map<number, number | undefined>()

  constructor(start: ArrayStart) {
    this.start = start
    this.name = `run-${start.mark}`
  }

  async look({ isLate }: LookOptions): Promise<ArrayView | undefined> {
    this.looks++
    if (isLate) this.lateLooks++
    const error = this.lookErrors.shift()
    if (error !== undefined) throw error
    if (this.isRemoved) return undefined
    const { isOver, said, running } = this
    return {
      isOver,
      said,
      succeeded: [...this.succeeded],
      failed: [...this.failed],
      runningCount: running.size,
      running,
      reportOf: index => ({ requestId: `${this.name}/${index}` }),
      errorOf: index => new WorkerLostError(`index ${index} of ${this.name} was lost`),
    }
  }

  async remove(): Promise<void> {
    this.removals++
    this.isRemoved = true
  }

  /** The activation messages that its workers get, by their indices. */
  async messages(): Promise<Readonly<Record<number, string>>> {
    const batch = await unpackBatch(this.start.packed)
    const read = async (start: number, end: number) => batch.subarray(start, end)
    const messages: Record<number, string> = {}
    for (const index of this.start.indices)
      messages[index] = new TextDecoder().decode(await readBatchEntry(read, index - this.start.first))
    return messages
  }
}

/** A platform that does what the test says: it begins what it is asked for, and nothing ends by itself. */
export class ScriptedPlatform implements ArrayPlatform {
  readonly words = {
    platform: 'The platform',
    run: 'run',
    instance: 'instance',
    nameKey: 'run',
    whenStuck: (name: string) => `ask for ${name}.`,
  }
  readonly limits: ArrayLimits
  /** That have begun. */
  readonly runs: ScriptedRun[] = []
  /** Of the next starts, one after the other. */
  readonly startSteps: ((start: ArrayStart) => Promise<void> | void)[] = []
  starts = 0
  finds = 0
  findError: Error | undefined
  readonly discarded: string[] = []
  #marks = 0

  constructor(limits: Partial<ArrayLimits> = {}) {
    this.limits = { indices: 1_000, packedCharacters: 100_000, ...limits }
  }

  newMark(label: string): string {
    return `${label}-${this.#marks++}`
  }

  async start(start: ArrayStart): Promise<StartedRun> {
    this.starts++
    await this.startSteps.shift()?.(start)
    return this.put(start)
  }

  /** Begins a run, whatever `start` makes of it. */
  put(start: ArrayStart): ScriptedRun {
    const run = new ScriptedRun(start)
    this.runs.push(run)
    return run
  }

  mayHaveBegun(error: unknown): boolean {
    return error instanceof ScriptedError && error.kind === 'passing'
  }

  async find({ mark }: ArrayStart): Promise<StartedRun | undefined> {
    this.finds++
    if (this.findError !== undefined) throw this.findError
    return this.runs.find(({ start }) => start.mark === mark)
  }

  explain(error: unknown, { mark }: Pick<ArrayStart, 'mark'>): RefusedStart {
    const { kind, message } = error as ScriptedError
    return { kind, message: `beginning ${mark}: ${message}`, details: { mark }, cause: error }
  }

  async discard({ mark }: ArrayStart): Promise<void> {
    this.discarded.push(mark)
  }

  /** The run of that number, when it has begun. */
  async run(number: number): Promise<ScriptedRun> {
    await until(() => this.runs.length > number)
    return this.runs[number] ?? expect.fail(`there are ${this.runs.length} runs`)
  }
}

/** For platforms whose instances may have any indices. */
export const ANY_INDICES = { largest: 9_999, fit: () => true }

const realPause = setTimeout

/** No time passes by itself in this test: `until` and `pass` let it. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Lets time pass until something is so, in steps that let arrive what is packed in another thread. */
export async function until(isSo: () => boolean, mostMs = 600_000): Promise<void> {
  const endMs = performance.now() + mostMs
  while (!isSo()) {
    if (performance.now() > endMs) expect.fail(`it was not so after ${mostMs} ms: ${isSo}`)
    await vi.advanceTimersByTimeAsync(20)
    await new Promise(done => realPause(done, 1))
  }
}

/** Lets so much time pass, where nothing is being packed. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

const place: ArrayPlace = { jobName: 'job', timeoutMs: 60_000 }

/** How an activation that was handed in has ended; undefined while it has not. */
export interface Sent {
  report: ActivationReport | undefined
  error: LithopsError | undefined
  /** Nobody waits for it any more. */
  cancel(): void
}

/** Batches of a platform, and activations that are their names. */
export function batchesOn(platform: ScriptedPlatform, { maxWorkers = 100 } = {}) {
  const restored: string[] = []
  const batches = new Batches({
    platform,
    maxWorkers,
    log: { debug() {}, info() {}, warn() {} },
    restore: async ({ name }) => {
      restored.push(name)
    },
  })
  const send = (call: number, { jobId = 'M000', message = `call ${call}` } = {}): Sent => {
    const controller = new AbortController()
    const activation: Activation = {
      id: `${jobId}-${call}`,
      executorId: 'e',
      jobId,
      callIds: [call],
      runtime: { name: 'default' },
      payload: new TextEncoder().encode(message),
      callTimeoutMs: Number.POSITIVE_INFINITY,
      freshWorker: false,
    }
    const sent: Sent = {
      report: undefined,
      error: undefined,
      cancel: () => controller.abort(new Error('cancelled')),
    }
    batches.run(activation, place, controller.signal).then(
      report => {
        sent.report = report
      },
      error => {
        sent.error = error
      },
    )
    return sent
  }
  return {
    restored,
    send,
    sendAll: (count: number) => Array.from({ length: count }, (_, call) => send(call)),
    close: (error: InvocationError) => batches.close(error),
  }
}

export function isEnded({ report, error }: Sent): boolean {
  return report !== undefined || error !== undefined
}
