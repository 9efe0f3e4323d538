import { decodeError } from '../codec/error.ts'
import type { ActivationReport, RuntimeSpec } from '../driver/compute-backend.ts'
import type { Call } from '../job/call.ts'
import { nowMs } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import type { BackendUsage } from '../job/usage.ts'
import { Outcome, type WorkerFacts } from '../worker/protocol.ts'
import {
  type EndedFrame,
  type FrameHandler,
  locationOf,
  type RequestsByStorage,
  readFrames,
} from '../worker/reply-frames.ts'
import { CancellationSource } from './cancellation-source.ts'
import type { Lane } from './lane.ts'

/** What the invoker wants to know of an activation. */
export interface ActivationListener {
  /** A call ended with an error of its own; the listener ends it or sends it again. */
  failed(call: Call, frame: EndedFrame): void
  /** The first call of one began. */
  begun(activation: ActivationInFlight): void
  /** Calls came back that were not begun. */
  handedBack(calls: readonly Call[]): void
}

/** An activation that a backend has, and which of its calls are still open. */
export class ActivationInFlight implements FrameHandler {
  readonly cancellation = new CancellationSource()
  readonly #listener: ActivationListener
  readonly #usage: BackendUsage
  #next = 0
  #open: number
  #worker: WorkerFacts | undefined
  #isSettled: boolean[] | undefined
  /** Which attempt of each call it carries. */
  readonly #attempts: number[] = []

  readonly job: Job
  readonly calls: readonly Call[]
  readonly lane: Lane
  /** What the platform knows it by. */
  readonly id: string

  constructor(
    {
      job,
      calls,
      lane,
      id,
      runtime,
    }: {
      readonly job: Job
      readonly calls: readonly Call[]
      readonly lane: Lane
      readonly id: string
      readonly runtime: RuntimeSpec
    },
    listener: ActivationListener,
  ) {
    this.job = job
    this.calls = calls
    this.lane = lane
    this.id = id
    this.#listener = listener
    this.#usage = job.usageOn(lane.backend, runtime.memoryMiB)
    this.#open = calls.length
    for (const call of calls) this.#attempts.push(call.attempt)
  }

  /** Calls that the backend has not reported as ended or handed back, and that were not sent again meanwhile. */
  get openCalls(): Call[] {
    return this.calls.filter(
      (call, i) => !this.#isDone(i) && !call.isEnded && call.attempt === this.#attempts[i],
    )
  }

  get callIds(): readonly number[] {
    return this.calls.map(call => call.id)
  }

  get openCount(): number {
    return this.#open
  }

  /** How often those of its calls that were sent most often had been sent before. */
  get attempt(): number {
    return this.#attempts.reduce((most, attempt) => Math.max(most, attempt), 0)
  }

  /** The platform has taken it, and does not say when it ends. */
  isOnlyAccepted = false

  /** When the first of its calls was told to run, by `performance.now()`. */
  begunAtMs: number | undefined

  /** What the platform said of it, when it took it or at its end. */
  reported({ requestId, billedMs, isOnlyAccepted = false }: ActivationReport = {}): void {
    this.isOnlyAccepted = isOnlyAccepted
    this.#usage.requests++
    if (billedMs !== undefined) {
      this.#usage.billedMs += billedMs
      this.#usage.billedRequests++
    }
    if (requestId !== undefined) for (const call of this.calls) call.requestId = requestId
  }

  /** Takes reply frames. Damaged ones end the activation: its open calls are failed with `failure`. */
  read(frames: Uint8Array): void {
    try {
      readFrames(frames, this)
    } catch (error) {
      this.failure ??= error
      this.cancellation.request(error)
    }
  }

  /** Why its replies could not be read. */
  failure: unknown

  /** A call of it was cancelled: when it was the last open one, the activation has no purpose any more. */
  callCancelled(): void {
    if (this.openCalls.length === 0) this.cancellation.request()
  }

  started(callId: number, attempt: number, atMs: number): void {
    const call = this.#find(callId)
    if (call === undefined || call.attempt !== attempt || call.state !== 'invoked') return
    call.state = 'running'
    call.startedMs = atMs
    if (this.begunAtMs !== undefined) return
    this.begunAtMs = performance.now()
    this.#listener.begun(this)
  }

  ended(frame: EndedFrame): void {
    const call = this.#find(frame.callId)
    if (call === undefined || this.#isDone(this.#indexOf(call))) return
    // An attempt that was given up may still bring the value, but its failure says nothing of the attempt that runs.
    if (frame.attempt !== call.attempt && isFailure(frame)) return
    this.#done(call)
    this.job.measured(frame.endedMs - frame.startedMs)
    this.#usage.ranMs += frame.endedMs - frame.startedMs
    if (call.isEnded) return // cancelled meanwhile, or a twin was faster
    call.startedMs = frame.startedMs
    call.endedMs = frame.endedMs
    call.receivedMs = nowMs()
    call.peakMemoryKib = frame.peakMemoryKib
    call.worker = this.#worker
    call.activationCalls = this.calls.length
    if (frame.outcome === Outcome.value) call.succeed(frame)
    else if (frame.outcome === Outcome.reference) call.succeedAt(locationOf(frame))
    else this.#listener.failed(call, frame)
  }

  log(callId: number, attempt: number, _stream: number, text: string): void {
    const call = this.#find(callId)
    if (call === undefined || call.attempt !== attempt || call.isEnded) return
    call.logParts ??= []
    call.logParts.push(text)
  }

  handedBack(callId: number, attempt: number): void {
    const call = this.#find(callId)
    if (call === undefined || call.attempt !== attempt || this.#isDone(this.#indexOf(call))) return
    this.#done(call)
    if (!call.isEnded) this.#listener.handedBack([call])
  }

  worker(facts: WorkerFacts): void {
    if (facts.coldStart && this.#worker === undefined) {
      this.#usage.coldStarts++
      this.#usage.initMs += facts.initMs
    }
    this.#worker = facts
  }

  storageRequests(requests: RequestsByStorage): void {
    for (const [name, counts] of Object.entries(requests)) this.job.storageUses.add(name, counts)
  }

  // Calls end in the order in which they were sent, almost always.
  #find(callId: number): Call | undefined {
    const next = this.calls[this.#next]
    if (next?.id === callId) return next
    return this.calls.find(call => call.id === callId)
  }

  #indexOf(call: Call): number {
    return this.calls[this.#next] === call ? this.#next : this.calls.indexOf(call)
  }

  #isDone(index: number): boolean {
    return this.#isSettled?.[index] ?? index < this.#next
  }

  #done(call: Call): void {
    this.#open--
    const index = this.#indexOf(call)
    if (this.#isSettled === undefined && index === this.#next) {
      this.#next++
      return
    }
    this.#isSettled ??= this.calls.map((_, i) => i < this.#next)
    this.#isSettled[index] = true
    while (this.#isSettled[this.#next]) this.#next++
  }
}

function isFailure({ outcome }: EndedFrame): boolean {
  return outcome !== Outcome.value && outcome !== Outcome.reference
}

/** The error in a frame, for deciding on a retry. */
export function errorOf(call: Call, frame: EndedFrame): unknown {
  return decodeError(frame.bytes.subarray(frame.start, frame.end), call.job.classes)
}
