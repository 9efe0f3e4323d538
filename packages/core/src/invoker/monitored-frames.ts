import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import type { WorkerFacts } from '../worker/protocol.ts'
import type { EndedFrame, FrameHandler, RequestsByStorage } from '../worker/reply-frames.ts'

/** Takes the frames of calls that were sent together. */
export interface MonitoredCalls extends Omit<FrameHandler, 'storageRequests'> {
  /** Those of which no end is known. */
  readonly openCalls: readonly Call[]
}

/** Hands frames that came by a monitor to the activations that their calls were last sent in. */
export class MonitoredFrames implements FrameHandler {
  readonly #activations: ReadonlyMap<number, MonitoredCalls>
  #facts: WorkerFacts | undefined

  readonly #job: Job

  constructor(job: Job, activations: ReadonlyMap<number, MonitoredCalls>) {
    this.#job = job
    this.#activations = activations
  }

  started(callId: number, attempt: number, atMs: number): void {
    this.#activations.get(callId)?.started(callId, attempt, atMs)
  }

  ended(end: EndedFrame): void {
    const activation = this.#activations.get(end.callId)
    if (this.#facts !== undefined) activation?.worker(this.#facts)
    activation?.ended(end)
  }

  log(callId: number, attempt: number, stream: number, text: string): void {
    this.#activations.get(callId)?.log(callId, attempt, stream, text)
  }

  handedBack(callId: number, attempt: number): void {
    this.#activations.get(callId)?.handedBack(callId, attempt)
  }

  worker(facts: WorkerFacts): void {
    this.#facts = facts
  }

  storageRequests(requests: RequestsByStorage): void {
    for (const [name, counts] of Object.entries(requests)) this.#job.storageUses.add(name, counts)
  }
}
