import { type ExecutorOptions, FunctionExecutor, Storage } from '@lithops/core'
import { interruptible } from './interruptible.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string
  readonly backend?: string
  readonly storage?: string
  readonly debug?: boolean
  readonly json?: boolean
}

/** Uses an executor as the command line asks for it, and closes it: at the end, and in order at Ctrl+C. */
export function withExecutor<T>(
  options: GlobalOptions,
  use: (fexec: FunctionExecutor, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return interruptible(async signal => {
    await using fexec = openExecutor(options)
    // ends the calls, and with them what is waited for
    signal.addEventListener('abort', () => fexec.close(), { once: true })
    const value = await use(fexec, signal)
    signal.throwIfAborted()
    return value
  })
}

function openExecutor(options: GlobalOptions): FunctionExecutor {
  const { config, backend, storage, debug } = options
  const given: ExecutorOptions = {
    ...(config === undefined ? {} : { configFile: config }),
    ...(backend === undefined ? {} : { backend }),
    ...(storage === undefined ? {} : { storage }),
    ...(debug === true ? { logLevel: 'debug' as const } : {}),
  }
  return new FunctionExecutor(given)
}

/** Prints a result: as JSON when asked to, else as text. */
export function print(options: GlobalOptions, json: unknown, text: string): void {
  console.log(options.json ? JSON.stringify(json) : text)
}

/** The command line asks for what makes no sense; nothing was started. */
export class UsageError extends Error {}

/** The storage that the command line or the config names. Like Lithops (Python), `-b` names it for these commands. */
export function openStorage(options: GlobalOptions, bucket: string): Storage {
  const { config, backend, storage = backend } = options
  return new Storage({
    bucket,
    ...(config === undefined ? {} : { configFile: config }),
    ...(storage === undefined ? {} : { backend: storage }),
  })
}
