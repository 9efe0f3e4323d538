import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

/** The way home of call results broke and did not come back. */
export class MonitorError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_MONITOR', ...options })
  }
}

/** The backend lacks an ability that was asked for. The message names both. */
export class NotSupportedError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_NOT_SUPPORTED', ...options })
  }
}

/** Client and runtime speak different versions of the wire format, or bytes are damaged. */
export class ProtocolError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_PROTOCOL', ...options })
  }
}
