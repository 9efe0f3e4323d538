/** The person ended the command: it was stopped in order, and nothing half-made was left. */
export class InterruptedError extends Error {
  /** As shells tell the end by a signal: 128 and its number. */
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`ended by ${signal}`)
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}

/** Runs something that is ended by Ctrl+C through its signal, so that it can remove what is half-made. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const interrupt = (signal: NodeJS.Signals) =>
    controller.abort(new InterruptedError(signal as 'SIGINT' | 'SIGTERM'))
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await run(controller.signal)
  } catch (error) {
    // drivers may wrap the reason
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}
