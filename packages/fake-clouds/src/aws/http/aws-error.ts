/** An error as a service of AWS answers it. */
export class AwsError extends Error {
  readonly status: number
  /** Name of the exception, e.g. 'ResourceNotFoundException'. */
  readonly code: string
  /** What the body has besides the message. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      readonly fields?: Readonly<Record<string, unknown>>
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(message)
    this.name = 'AwsError'
    this.status = status
    this.code = code
    this.fields = more.fields ?? {}
    this.headers = more.headers ?? {}
  }
}
