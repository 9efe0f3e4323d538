/** One function of a case's program. The program exports one of these by its members, or several as `cases`. */
export interface SerializerCase {
  readonly name?: string
  readonly fn: Function
  readonly args?: readonly unknown[]
  /** Compared by deepStrictEqual, so prototypes count. */
  readonly expected?: unknown
  /** For what deepStrictEqual cannot say, e.g. shared identity. */
  readonly check?: (result: any) => unknown
  /** The capture is refused with such a message; the whole message is in error.txt. */
  readonly fails?: RegExp
  /** The function throws on the worker; gets the error as the client sees it. */
  readonly throws?: (error: any) => unknown
  /** The capture warns with such a text. Without it the capture must not warn. */
  readonly warns?: RegExp
  /** Whether it warns depends on how the program was built. */
  readonly mayWarn?: boolean
  /** Runs right after the capture, before anything is sent. */
  readonly afterCapture?: () => void
}
