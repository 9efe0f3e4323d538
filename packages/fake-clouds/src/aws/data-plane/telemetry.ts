const HEADER_BYTES = 16
const LENGTH_OFFSET = 4

/**
 * Takes the frames of log apart that Amazon's runtimes write to the file descriptor of `_LAMBDA_TELEMETRY_LOG_FD`: type,
 * length, time, text. From: `TelemetryLogger` of aws-lambda-ric.
 */
export class TelemetryReader {
  readonly #onText: (text: string) => void
  #rest = Buffer.alloc(0)

  constructor(onText: (text: string) => void) {
    this.#onText = onText
  }

  push(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUInt32BE(LENGTH_OFFSET)
      if (this.#rest.length < end) return
      const text = this.#rest.subarray(HEADER_BYTES, end).toString().trimEnd()
      this.#rest = this.#rest.subarray(end)
      // a frame is one event, whatever line breaks it has
      this.#onText(`${text.replaceAll('\n', '\r')}\n`)
    }
  }
}
