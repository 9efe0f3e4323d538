import type { ByteWriter } from '../codec/byte-writer.ts'
import { decodeError } from '../codec/error.ts'
import { decodeValueAt, encodeValueInto, immediateValueAt, NOT_IMMEDIATE } from '../codec/value.ts'
import { CallCancelledError } from '../errors/index.ts'
import { type ListPart, writeListInput } from '../worker/activation-message.ts'
import { InputKind, type Location, type WorkerFacts } from '../worker/protocol.ts'
import type { EndedFrame } from '../worker/reply-frames.ts'
import type { Job } from './job.ts'

/**
 * Where a call is: 'waiting' for the input it depends on, 'ready' to be sent, 'invoked' (sent to a worker),
 * 'running' (a worker began it), and the three ends.
 */
export type CallState = 'waiting' | 'ready' | 'invoked' | 'running' | 'success' | 'error' | 'cancelled'

/** Input that is encoded already. Primitive items are kept as they are and encoded when they are sent. */
export class EncodedInput {
  constructor(
    readonly kind: number,
    readonly bytes: Uint8Array,
    readonly parts: readonly ListPart[] = [],
    /** A small object that the worker reads: calls of these come together, so that it can read ahead. */
    readonly isSmallPiece = false,
  ) {}

  get sizeBytes(): number {
    return this.parts.reduce((sum, part) => sum + part.bytes.length + 5, this.bytes.length)
  }
}

/** How a call ended well: the encoded value, or where it lies. */
type Result =
  | { readonly bytes: Uint8Array; readonly start: number; readonly end: number }
  | { readonly location: Location }

const clockOffset = performance.timeOrigin
/** Milliseconds since 1970, monotonic within this process. */
export const nowMs = (): number => clockOffset + performance.now()

/** Result bytes of this size and smaller are copied out of the message they came in, so that it can be freed. */
const SMALL_RESULT_BYTES = 2048

/** One call of a job, from its input to its end. What users see of it is a ResponseFuture. */
export class Call {
  state: CallState = 'ready'
  /** How often it was run before. */
  attempt = 0
  /** What it has used of its budgets. */
  infrastructureFaults = 0
  userFailures = 0
  /** Sent in an activation of its own, because a worker broke while this one and others were open in it. */
  mustBeAlone = false
  /** The program has read its outcome. */
  isRead = false
  submittedMs = nowMs()
  invokedMs = 0
  startedMs = 0
  endedMs = 0
  receivedMs = 0
  peakMemoryKib = 0
  worker: WorkerFacts | undefined
  activationCalls = 0
  /** What the platform knows its last activation by. */
  requestId: string | undefined
  logParts: string[] | undefined
  #result: Result | undefined
  #value: unknown
  #hasValue = false
  #error: unknown
  #errorFrame: EndedFrame | undefined
  #cancelled: { readonly reason: string; readonly cause: unknown } | undefined
  #listeners: ((call: Call) => void)[] | ((call: Call) => void) | undefined

  constructor(
    readonly job: Job,
    readonly id: number,
    /** A primitive value, EncodedInput, or undefined while it waits for what it depends on. */
    public input: unknown,
  ) {}

  get isEnded(): boolean {
    return this.state === 'success' || this.state === 'error' || this.state === 'cancelled'
  }

  /** Calls `listener` once when the call ends; at once if it has ended. */
  onEnd(listener: (call: Call) => void): void {
    if (this.isEnded) {
      listener(this)
    } else if (this.#listeners === undefined) {
      this.#listeners = listener
    } else if (typeof this.#listeners === 'function') {
      this.#listeners = [this.#listeners, listener]
    } else {
      this.#listeners.push(listener)
    }
  }

  /** Takes a listener off that was given to `onEnd`. */
  offEnd(listener: (call: Call) => void): void {
    if (this.#listeners === listener) this.#listeners = undefined
    else if (Array.isArray(this.#listeners)) {
      const at = this.#listeners.indexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
    }
  }

  get inputKind(): number {
    return this.input instanceof EncodedInput ? this.input.kind : InputKind.value
  }

  writeInput(writer: ByteWriter): void {
    const { input } = this
    if (!(input instanceof EncodedInput)) encodeValueInto(writer, input, this.job.classes)
    else if (input.kind === InputKind.list && input.bytes.length === 0) writeListInput(writer, input.parts)
    else writer.bytes(input.bytes)
  }

  succeed(frame: EndedFrame): void {
    const { bytes, start, end } = frame
    const immediate = immediateValueAt(bytes, start, end)
    if (immediate !== NOT_IMMEDIATE) {
      this.setValue(immediate)
      return this.#end('success')
    }
    this.#result =
      end - start <= SMALL_RESULT_BYTES
        ? { bytes: new Uint8Array(bytes.subarray(start, end)), start: 0, end: end - start }
        : { bytes, start, end }
    this.#end('success')
  }

  succeedAt(location: Location): void {
    this.#result = { location }
    this.#end('success')
  }

  /** Ends with an error that is in a reply frame; it is decoded when somebody asks. */
  failRemotely(frame: EndedFrame): void {
    this.#errorFrame = frame
    this.#end('error')
  }

  fail(error: unknown): void {
    this.#error = error
    this.#end('error')
  }

  /** Its error is made when somebody asks for it: closing over a million calls must not take a minute. */
  cancel(reason: string, cause?: unknown): void {
    this.#cancelled = { reason, cause }
    this.#end('cancelled')
  }

  #end(state: CallState): void {
    this.state = state
    this.input = undefined
    const listeners = this.#listeners
    this.#listeners = undefined
    if (typeof listeners === 'function') listeners(this)
    else if (listeners !== undefined) for (const listener of listeners) listener(this)
  }

  /** The error it ended with. */
  get error(): unknown {
    const frame = this.#errorFrame
    const cancelled = this.#cancelled
    if (cancelled !== undefined) {
      this.#cancelled = undefined
      this.#error = this.#cancelledError(cancelled.reason, cancelled.cause)
    } else if (frame !== undefined) {
      this.#errorFrame = undefined
      this.#error = this.#decodeError(frame)
    }
    return this.#error
  }

  #cancelledError(reason: string, cause: unknown): CallCancelledError {
    const { key, executorId, id: jobId } = this.job
    return new CallCancelledError(`Call ${this.id} of job ${key} was cancelled: ${reason}.`, {
      executorId,
      jobId,
      callId: this.id,
      cause,
    })
  }

  #decodeError(frame: EndedFrame): unknown {
    try {
      return this.job.localError(decodeError(frame.bytes.subarray(frame.start, frame.end), this.job.classes))
    } catch (error) {
      return error // a reply that cannot be read is the error of its call
    }
  }

  /** Where the value lies when it was left in storage or came as bytes that nobody has decoded yet. */
  get result(): Result | undefined {
    return this.#result
  }

  /** True when `value` needs no I/O. */
  get hasValueHere(): boolean {
    return this.#hasValue || (this.#result !== undefined && 'bytes' in this.#result)
  }

  /** The value it ended with. Decoded once. */
  get value(): unknown {
    if (!this.#hasValue) {
      const result = this.#result
      if (result === undefined || !('bytes' in result)) return undefined
      this.#value = decodeValueAt(result.bytes, result.start, result.end, this.job.classes)
      this.#hasValue = true
      this.#result = undefined
    }
    return this.#value
  }

  /** Puts in a value that was read from storage. */
  setValue(value: unknown): void {
    this.#value = value
    this.#hasValue = true
  }
}
