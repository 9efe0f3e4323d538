import { LithopsError, type LithopsErrorOptions } from './lithops-error.ts'

/** A storage operation failed. `details` has operation, bucket, key and region. */
export class StorageError extends LithopsError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_STORAGE', ...options })
  }
}

/** There is no object under that key, or no such bucket. */
export class ObjectNotFoundError extends StorageError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_OBJECT_NOT_FOUND', ...options })
  }
}

/** The storage refused the credentials, or they lack a right. */
export class StorageAccessError extends StorageError {
  constructor(message: string, options: LithopsErrorOptions = {}) {
    super(message, { code: 'LITHOPS_STORAGE_ACCESS', ...options })
  }
}
