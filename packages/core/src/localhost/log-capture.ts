import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'

/**
 * Sends what the process writes to its standard output and error to `take` (stream 1 or 2). What `take` does not want
 * goes to the real stream. Covers console and process.stdout; native code that writes to the descriptor is not seen.
 */
export function installLogCapture(take: (stream: 1 | 2, text: string) => boolean): void {
  replace('stdout', 1)
  replace('stderr', 2)

  function replace(name: 'stdout' | 'stderr', stream: 1 | 2): void {
    let replaced: Writable | undefined
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => (replaced ??= captured(stream)),
    })
  }

  function captured(stream: 1 | 2): Writable {
    const writable = new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        const text = typeof chunk === 'string' ? chunk : chunk.toString('utf8')
        if (!take(stream, text)) writeRaw(stream, text)
        done()
      },
    })
    return Object.assign(writable, { fd: stream, isTTY: false })
  }

  function writeRaw(stream: 1 | 2, text: string): void {
    try {
      writeSync(stream, text)
    } catch {
      // a closed or full pipe must not fail the user's function
    }
  }
}
