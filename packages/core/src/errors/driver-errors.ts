import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

/** No package of that name is installed. The message lists the names tried and the command that installs one. */
export class DriverNotFoundError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_DRIVER_NOT_FOUND', ...options })
  }
}

/** A package was found but is not a driver: an export or a member is missing, or its contract version is another. */
export class DriverContractError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_DRIVER_CONTRACT', ...options })
  }
}
