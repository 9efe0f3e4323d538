import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

export interface SerializationErrorOptions extends LithopsErrorOptions {
  /** The way from the function or value to what cannot be sent, e.g. ['deep', 'a', 'b', 1, 'sock']. */
  readonly path?: readonly (string | number | symbol)[]
  /** Place in the source, e.g. 'src/job.ts:12:7'. */
  readonly location?: string
}

/** A function or value cannot travel. The message has the path of captures, the place and what to do instead. */
export class SerializationError extends LithopsError {
  readonly path: readonly (string | number | symbol)[]
  readonly location: string | undefined

  constructor(message: string, options: SerializationErrorOptions = {}) {
    super(message, { code: 'LITHOPS_SERIALIZATION', ...options })
    this.path = options.path ?? []
    this.location = options.location
  }
}
