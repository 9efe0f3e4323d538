import type { Call } from '../job/call.ts'
import { nowMs } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { Outcome, type WorkerFacts } from '../worker/protocol.ts'
import { type EndedFrame, locationOf } from '../worker/reply-frames.ts'
import type { MonitoredCalls } from './monitored-frames.ts'

/** Calls of a job that another client has begun: what its workers tell, until this client sends them itself. */
export class AdoptedCalls implements MonitoredCalls {
  readonly id: string
  readonly #calls: readonly Call[]
  readonly #failed = new Map<Call, EndedFrame>()
  readonly #sentHere = new Set<Call>()
  #worker: WorkerFacts | undefined

  constructor(
    readonly job: Job,
    calls: readonly Call[],
  ) {
    this.id = `${job.key}-adopted`
    this.#calls = calls
  }

  /** Calls of which no end is known, and that this client has not sent. */
  get openCalls(): Call[] {
    return this.#calls.filter(call => !call.isEnded && !this.#sentHere.has(call))
  }

  get openCount(): number {
    return this.openCalls.length
  }

  /** Calls that failed, and whose budget lets them run again: the other client would have done so. */
  get toRunAgain(): Call[] {
    return [...this.#failed.keys()].filter(call => !call.isEnded && !this.#sentHere.has(call))
  }

  /** This client sends these calls itself from now on. */
  sentHere(calls: readonly Call[]): void {
    for (const call of calls) this.#sentHere.add(call)
  }

  started(callId: number, attempt: number, atMs: number): void {
    const call = this.#calls[callId]
    if (call?.state !== 'waiting') return
    call.attempt = Math.max(call.attempt, attempt)
    call.state = 'running'
    call.startedMs = atMs
  }

  ended(frame: EndedFrame): void {
    const call = this.#calls[frame.callId]
    if (call === undefined || call.isEnded) return
    if (this.#sentHere.has(call) && frame.outcome !== Outcome.value && frame.outcome !== Outcome.reference)
      return
    call.attempt = Math.max(call.attempt, frame.attempt)
    call.startedMs = frame.startedMs
    call.endedMs = frame.endedMs
    call.receivedMs = nowMs()
    call.peakMemoryKib = frame.peakMemoryKib
    call.worker = this.#worker
    if (frame.outcome === Outcome.value) call.succeed(frame)
    else if (frame.outcome === Outcome.reference) call.succeedAt(locationOf(frame))
    else if (frame.attempt >= this.job.options.retries.user) call.failRemotely(frame)
    else this.#failed.set(call, frame)
  }

  log(callId: number, _attempt: number, _stream: number, text: string): void {
    const call = this.#calls[callId]
    if (call === undefined || call.isEnded) return
    call.logParts ??= []
    call.logParts.push(text)
  }

  /** Handed back to a client that cannot take it: it counts as not begun. */
  handedBack(callId: number): void {
    const call = this.#calls[callId]
    if (call?.state === 'running') call.state = 'waiting'
  }

  worker(facts: WorkerFacts): void {
    this.#worker = facts
  }
}
