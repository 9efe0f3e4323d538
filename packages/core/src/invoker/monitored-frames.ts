import type { WorkerFacts } from '../worker/protocol.ts'
import type { EndedFrame, FrameHandler } from '../worker/reply-frames.ts'
import type { ActivationInFlight } from './activation-in-flight.ts'

/** Hands frames that came by a monitor to the activations that their calls were last sent in. */
export class MonitoredFrames implements FrameHandler {
  readonly #activations: ReadonlyMap<number, ActivationInFlight>
  #facts: WorkerFacts | undefined

  constructor(activations: ReadonlyMap<number, ActivationInFlight>) {
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
}
