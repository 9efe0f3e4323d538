import type { PublisherLimit } from '../driver/monitor.ts'
import { CallError } from '../errors/index.ts'
import type { JobHead } from './protocol.ts'

/** What the end of a call takes at most: the frames' heads with a location in storage, or with a shortened error. */
const RESERVED_BYTES_PER_CALL = 800
/** The start of a message that could not be sent whole. */
const SHORT_MESSAGE_CHARACTERS = 160

/** Keeps the reply of one activation within what the platform takes. */
export class ReplyRoom {
  readonly #maxBytes: number
  #sentBytes = 0
  #openCalls: number

  constructor(head: JobHead, calls: number) {
    this.#maxBytes = head.maxReplyBytes ?? Number.POSITIVE_INFINITY
    this.#openCalls = calls
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Bytes left for something more now, while `waitingBytes` wait to be sent: every open call can still end. */
  left(waitingBytes: number): number {
    return this.#maxBytes - this.#sentBytes - waitingBytes - RESERVED_BYTES_PER_CALL * this.#openCalls
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes
  }

  callEnded(): void {
    this.#openCalls--
  }
}

/** The error of a call whose result the reply cannot carry, for a job without storage. */
export function resultTooLarge(bytes: number, maxBytes: number): CallError {
  const error = new CallError(
    `The result of the call has ${bytes} bytes, and a reply of this backend takes ${maxBytes} bytes for all calls of an activation. ` +
      'Name a storage in the config, so that large results go there, or return less.',
    { code: 'LITHOPS_RESULT_TOO_LARGE', details: { resultBytes: bytes, maxReplyBytes: maxBytes } },
  )
  error.stack = '' // it shows the worker's own code, and takes room
  return error
}

/** The same where it is the way home over a monitor that does not take it. */
export function resultOverLimit(bytes: number, limit: PublisherLimit): CallError {
  const raise = limit.setting === undefined ? '' : ` raise ${limit.setting},`
  const error = new CallError(
    `The result of the call has ${bytes} bytes, and the job's way home takes ${limit.bytes} bytes. ` +
      `Name a storage in the config, so that large results go there,${raise} or return less.`,
    { code: 'LITHOPS_RESULT_TOO_LARGE', details: { resultBytes: bytes, maxReplyBytes: limit.bytes } },
  )
  error.stack = ''
  return error
}

/** What is left of an error that the reply cannot carry. */
export function shortenedError(thrown: unknown, bytes: number, maxBytes: number): CallError {
  const isError = thrown instanceof Error
  const message = (isError ? thrown.message : String(thrown)).slice(0, SHORT_MESSAGE_CHARACTERS)
  const error = new CallError(
    `${message}… [cut: the error has ${bytes} bytes, and a reply takes ${maxBytes}]`,
    { remoteName: isError ? thrown.name.slice(0, 64) : typeof thrown },
  )
  error.stack = ''
  return error
}
