import {
  type ActivationReport,
  CallTimeoutError,
  type DriverLog,
  InvocationError,
  type LithopsError,
  pause,
  WorkerLostError,
} from '@lithops/core/driver'
import { encodeBatch, packBatch } from '../batch-file.ts'
import type { ArrayPlace, ArrayPlatform, ArrayView, StartedRun } from './array-platform.ts'
import { startOnce } from './start-once.ts'

const FIRST_LOOK_MS = 250
const LOOK_GROWTH = 1.3
/** A run that takes long is looked at this seldom: a twentieth of its age is late enough for nobody. */
const LONGEST_LOOK_MS = 10_000
const LOOK_SHARE = 0.05
/** Closing waits no longer than for so many looks; what goes on then is a durable job's. */
const LEAVING_LOOKS = 8
/** What a worker has told by the monitor before it was lost comes so much later than the platform says so. */
const NEWS_MS = 1_000
/** A run of which the API says nothing for so long is given up. */
const UNSEEN_MS = 300_000
/** An instance is ended by the platform itself at its time limit: so much later it counts as ended. */
const OVERDUE_MS = 120_000
/** No instance of a program has begun or run for so long, though some wait: they will not any more. */
const STUCK_MS = 900_000
const NO_MESSAGE = new Uint8Array(0)

/** One activation in a run. */
export interface RunItem {
  readonly payload: Uint8Array
  /** Either is called once. */
  resolve(report: ActivationReport): void
  reject(error: unknown): void
}

/** What has to do with the other runs of the program. */
export interface RunSurroundings<Place extends ArrayPlace> {
  readonly platform: ArrayPlatform<Place>
  readonly log: DriverLog
  /** Instances were seen to run, or have ended. */
  progressed(): void
  /** Milliseconds since the last time that it was so, of any run. */
  silentMs(): number
}

/** Messages of a run, ready to be sent. */
export interface PackedRun {
  readonly packed: string
  /** Indices that have a message, ascending. */
  readonly indices: readonly number[]
}

/** The life of one array run: packed, begun once, watched until the end of all its activations is known, removed. */
export class ArrayRun<Place extends ArrayPlace, Item extends RunItem = RunItem> {
  readonly place: Place
  /** What the program calls it. */
  readonly mark: string
  /** By index: activations whose end is not known. */
  #open: Map<number, Item>
  readonly #surroundings: RunSurroundings<Place>
  readonly #stopping = new AbortController()
  readonly #runningSinceMs = new Map<number, number>()
  readonly #told: Promise<void>[] = []
  #started: StartedRun | undefined
  #isLeft = false

  constructor(
    { place, label, items }: { place: Place; label: string; items: ReadonlyMap<number, Item> },
    surroundings: RunSurroundings<Place>,
  ) {
    this.place = place
    this.mark = surroundings.platform.newMark(label)
    this.#open = new Map(items)
    this.#surroundings = surroundings
  }

  /** Activations whose end is not known. */
  get openCount(): number {
    return this.#open.size
  }

  /** Packs what somebody still waits for. Not after it has begun. */
  async pack(): Promise<PackedRun> {
    const { keptIndices } = this.#surroundings.platform.limits
    if (keptIndices === undefined) this.#open = new Map([...this.#open.values()].entries())
    const indices = [...this.#open.keys()].sort((a, b) => a - b)
    const [first = 0, last = -1] = [indices[0], indices.at(-1)]
    const payloads = Array.from(
      { length: last - first + 1 },
      (_, i) => this.#open.get(first + i)?.payload ?? NO_MESSAGE,
    )
    return { packed: await packBatch(encodeBatch(payloads)), indices }
  }

  /** Takes half of its activations out again, those with the largest indices. Not after it has begun. */
  takeHalf(): readonly Item[] {
    const half = [...this.#open].sort(([a], [b]) => a - b).slice(Math.ceil(this.#open.size / 2))
    for (const [index] of half) this.#open.delete(index)
    return half.map(([, item]) => item)
  }

  /** Rejects with an error of the API. Nothing is left behind then, as far as the API still answers. */
  async begin({ packed, indices: all }: PackedRun): Promise<void> {
    const { platform, log } = this.#surroundings
    // what was dropped meanwhile need not run, where others can keep their indices
    const indices = platform.limits.keptIndices ? all.filter(index => this.#open.has(index)) : all
    const start = { place: this.place, mark: this.mark, indices, packed, first: all[0] ?? 0 }
    try {
      this.#started = await startOnce({
        start: () => platform.start(start),
        mayHaveBegun: error => platform.mayHaveBegun(error),
        find: () => platform.find(start),
      })
    } catch (error) {
      await platform.discard?.(start).catch(() => {})
      throw error
    }
    const { run, instance } = platform.words
    log.debug(`the ${run} ${this.#started.name} has begun: ${indices.length} ${instance}s`)
  }

  /** Watches it until the end of all activations is known, and removes it. Never rejects. */
  async watch(): Promise<void> {
    const started = this.#started
    if (started === undefined) return
    try {
      await this.#look(started)
    } catch (error) {
      for (const item of this.take()) item.reject(error)
    }
    await Promise.all(this.#told)
    try {
      if (!this.#isLeft) await started.remove()
      else await this.#removeIfOver(started)
    } catch (error) {
      const { platform, log } = this.#surroundings
      log.debug(`the ${platform.words.run} ${started.name} could not be removed: ${(error as Error).message}`)
    }
  }

  /** Nobody waits for that activation any more. When it was the last one, the run ends. */
  drop(item: Item): void {
    for (const [index, one] of this.#open) if (one === item) this.#open.delete(index)
    if (this.#open.size === 0) this.#stopping.abort()
  }

  /** Looks at it no longer, and leaves it where it is: its calls go on. Returns the activations that it still has. */
  leave(): readonly Item[] {
    this.#isLeft = true
    const items = this.take()
    this.#stopping.abort()
    return items
  }

  /** The activations whose end is not known, which are not this run's any more. */
  take(): readonly Item[] {
    const items = [...this.#open.values()]
    this.#open.clear()
    return items
  }

  /** Calls are told by their monitor a moment before the platform tells of their instances: what was left may be over. */
  async #removeIfOver(started: StartedRun): Promise<void> {
    const { signal } = new AbortController()
    for (let looks = 0; looks < LEAVING_LOOKS; looks++) {
      const view = await started.look({ isLate: false, signal })
      if (view === undefined) return
      if (view.isOver) return started.remove()
      await pause(FIRST_LOOK_MS)
    }
  }

  async #look(started: StartedRun): Promise<void> {
    const { silentMs } = this.#surroundings
    const { signal } = this.#stopping
    const begunMs = performance.now()
    let seenMs = begunMs
    // nothing is open when it was stopped
    for (let lookMs = FIRST_LOOK_MS; this.#open.size > 0; ) {
      const ageMs = performance.now() - begunMs
      lookMs = Math.min(LONGEST_LOOK_MS, lookMs * LOOK_GROWTH, Math.max(FIRST_LOOK_MS, ageMs * LOOK_SHARE))
      let view: ArrayView | undefined
      try {
        await pause(lookMs, signal)
        view = await started.look({ isLate: ageMs > this.place.timeoutMs + OVERDUE_MS, signal })
      } catch (error) {
        if (performance.now() - seenMs > UNSEEN_MS) throw this.#unseen(started, error)
        continue
      }
      if (view === undefined) throw this.#vanished(started)
      seenMs = performance.now()
      this.#read(started, view)
      if (this.#open.size > 0 && silentMs() > STUCK_MS) throw this.#stuck(started, view)
    }
  }

  #read(started: StartedRun, view: ArrayView): void {
    const before = this.#open.size
    for (const index of view.succeeded) this.#takeOne(index)?.resolve(view.reportOf(index))
    for (const index of view.failed) this.#failed(index, view)
    if (view.isOver) for (const index of [...this.#open.keys()]) this.#failed(index, view)
    if (view.runningCount > 0 || this.#open.size < before) this.#surroundings.progressed()
    for (const [index, startedMs] of view.running) this.#endIfOverdue(started, index, startedMs)
  }

  #failed(index: number, view: ArrayView): void {
    const item = this.#takeOne(index)
    if (item === undefined) return
    const error: LithopsError = view.errorOf(index)
    this.#told.push(pause(NEWS_MS).then(() => item.reject(error)))
  }

  #endIfOverdue({ name }: StartedRun, index: number, startedMs: number | undefined): void {
    const { timeoutMs } = this.place
    const seenMs = this.#runningSinceMs.get(index) ?? performance.now()
    this.#runningSinceMs.set(index, seenMs)
    const ranMs = startedMs === undefined ? performance.now() - seenMs : Date.now() - startedMs
    if (ranMs <= timeoutMs + OVERDUE_MS) return
    const { instance, run, nameKey } = this.#words
    this.#takeOne(index)?.reject(
      new CallTimeoutError(
        `${capitalized(instance)} ${index} of the ${run} ${name} was over its time limit, ${timeoutMs / 1000} s, and did not end.`,
        { details: { [nameKey]: name, index } },
      ),
    )
  }

  #takeOne(index: number): Item | undefined {
    const item = this.#open.get(index)
    this.#open.delete(index)
    return item
  }

  get #words() {
    return this.#surroundings.platform.words
  }

  #vanished({ name }: StartedRun): WorkerLostError {
    const { run, nameKey } = this.#words
    return new WorkerLostError(`The ${run} ${name} was removed while its calls ran.`, {
      details: { [nameKey]: name },
    })
  }

  #unseen({ name }: StartedRun, cause: unknown): InvocationError {
    const { platform, run, nameKey } = this.#words
    return new InvocationError(
      `${platform} has not told of the ${run} ${name} for ${UNSEEN_MS / 1000} s: ${(cause as Error).message}`,
      { mayHaveRun: true, cause, details: { [nameKey]: name } },
    )
  }

  #stuck({ name }: StartedRun, { said }: ArrayView): InvocationError {
    const { run, instance, nameKey, whenStuck } = this.#words
    return new InvocationError(
      `No ${instance} of the ${run} ${name} has run for ${STUCK_MS / 1000} s${said === '' ? '' : ` (${said.replace(/\.$/, '')})`}: ${whenStuck(name)}`,
      { details: { [nameKey]: name, said } },
    )
  }
}

function capitalized(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
}
