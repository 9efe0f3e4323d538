import { type ExecutorOptions, FunctionExecutor } from '@lithops/core'
import { closedWhenInterrupted } from './interrupt.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string
  readonly backend?: string
  readonly storage?: string
  readonly debug?: boolean
  readonly json?: boolean
}

/** An executor as the command line asks for it. Progress bars appear on terminals only, never beside JSON. */
export function openExecutor(options: GlobalOptions): FunctionExecutor {
  const { config, backend, storage, debug } = options
  const given: ExecutorOptions = {
    ...(config === undefined ? {} : { configFile: config }),
    ...(backend === undefined ? {} : { backend }),
    ...(storage === undefined ? {} : { storage }),
    ...(debug === true ? { logLevel: 'debug' as const } : {}),
  }
  return closedWhenInterrupted(new FunctionExecutor(given))
}

/** Prints a result: as JSON when asked to, else as text. */
export function print(options: GlobalOptions, json: unknown, text: string): void {
  console.log(options.json ? JSON.stringify(json) : text)
}
