import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

/** The configuration is wrong. The message names the key, its source, what was expected and the nearest valid key. */
export class ConfigError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_CONFIG', ...options })
  }
}
