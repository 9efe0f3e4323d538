const SMALLEST_BYTES = 64
/** What lives for long is smaller than this as a rule, or worth memory of its own. */
const POOLED_BYTES = 2048
const NO_BYTES = Buffer.alloc(0)

/** Writes numbers (little-endian), text and bytes into a buffer that grows. */
export class ByteWriter {
  #buffer: Buffer
  #length = 0

  /** `sizeHint`: how many bytes will probably be written. */
  constructor(sizeHint = SMALLEST_BYTES) {
    this.#buffer = newBuffer(Math.max(SMALLEST_BYTES, sizeHint))
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  u8(value: number): void {
    this.#ensure(1)
    this.#buffer[this.#length++] = value
  }

  u16(value: number): void {
    this.#ensure(2)
    this.#length = this.#buffer.writeUInt16LE(value, this.#length)
  }

  u32(value: number): void {
    this.#ensure(4)
    this.#length = this.#buffer.writeUInt32LE(value, this.#length)
  }

  f64(value: number): void {
    this.#ensure(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  bytes(value: Uint8Array): void {
    this.#ensure(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  utf8(text: string): void {
    // a UTF-16 unit takes three bytes of UTF-8 at the most; long text is measured instead
    this.#ensure(text.length < 1024 ? text.length * 3 : Buffer.byteLength(text))
    this.#length += this.#buffer.write(text, this.#length, 'utf8')
  }

  /** Overwrites a number written before. */
  patchU32(at: number, value: number): void {
    this.#buffer.writeUInt32LE(value, at)
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    this.#length = Math.min(length, this.#length)
  }

  /** What was written. The writer is empty afterwards and does not touch the returned bytes again. */
  take(): Uint8Array {
    const taken = this.#buffer.subarray(0, this.#length)
    // most writers are not used again
    this.#buffer = NO_BYTES
    this.#length = 0
    return taken
  }

  #ensure(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#buffer.length) return
    const larger = newBuffer(Math.max(SMALLEST_BYTES, needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** Small ones come out of Node's pool: memory of its own costs as much as writing it. Large ones do not keep a pool alive. */
function newBuffer(bytes: number): Buffer {
  return bytes <= POOLED_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes)
}
