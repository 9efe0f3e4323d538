import type { FunctionExecutor } from '@lithops/core'

/** As shells have it: 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const open = new Set<FunctionExecutor>()

/** An executor that is closed in order when the command is interrupted. */
export function closedWhenInterrupted(fexec: FunctionExecutor): FunctionExecutor {
  open.add(fexec)
  return fexec
}

/**
 * Ends the command at Ctrl-C and the like: cancels what runs, removes what it left, and exits with the code of the
 * signal. A second signal does not wait for that.
 */
export function handleInterrupts(): void {
  for (const signal of Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]) {
    process.once(signal, () => {
      const exit = () => process.exit(EXIT_CODES[signal])
      process.once(signal, exit)
      // the bar's line ends, and the cursor that it hid is there again
      if (process.stderr.isTTY) process.stderr.write('\x1b[?25h\n')
      process.stderr.write(`lithops: interrupted, cleaning up\n`)
      Promise.allSettled([...open].map(fexec => fexec.close())).then(exit)
    })
  }
}
