import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { format } from 'node:util'

export interface LogCaptureOptions {
  /** What `take` wants goes to the real stream as well, for the platform's own log. Default: false. */
  readonly mirrors?: boolean
  /** The platform has put methods of its own into `console`, which do not write to the process's streams. Default: false. */
  readonly hasOwnConsole?: boolean
}

const CONSOLE_METHODS = { debug: 1, log: 1, info: 1, warn: 2, error: 2 } as const

/**
 * Sends what the process writes to its standard output and error to `take` (stream 1 or 2). What `take` does not want
 * goes to the real stream. Covers console and process.stdout; native code that writes to the descriptor is not seen.
 */
export function installLogCapture(
  take: (stream: 1 | 2, text: string) => boolean,
  { mirrors = false, hasOwnConsole = false }: LogCaptureOptions = {},
): void {
  /** What the platform's console writes now was taken already. */
  let isTaken = false
  replace('stdout', 1)
  replace('stderr', 2)
  if (hasOwnConsole) wrapConsole()

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
        if (isTaken || !take(stream, text) || mirrors) writeRaw(stream, text)
        done()
      },
    })
    return Object.assign(writable, { fd: stream, isTTY: false })
  }

  function wrapConsole(): void {
    for (const name of Object.keys(CONSOLE_METHODS) as (keyof typeof CONSOLE_METHODS)[]) {
      const original = console[name].bind(console)
      console[name] = (...args: unknown[]) => {
        const wants = take(CONSOLE_METHODS[name], `${format(...args)}\n`)
        if (wants && !mirrors) return
        isTaken = true
        try {
          original(...args)
        } finally {
          isTaken = false
        }
      }
    }
  }

  function writeRaw(stream: 1 | 2, text: string): void {
    try {
      writeSync(stream, text)
    } catch {
      // a closed or full pipe must not fail the user's function
    }
  }
}
