import { describePlace, objectNotFound, type StoragePlace } from '../driver/storage-checks.ts'
import { StorageAccessError, StorageError } from '../errors/index.ts'

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}

export function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

const RETRYABLE_CODES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'EINTR', 'ETIMEDOUT'])

/** An error of the file system as one of storage; others stay as they are. */
export function translate(error: unknown, place: StoragePlace): unknown {
  const code = codeOf(error)
  const isOfFileSystem = error instanceof Error && 'syscall' in error
  if (!isOfFileSystem || code === undefined) return error
  if (isAbsent(error)) return objectNotFound(place, error)
  const message = `${describePlace(place)}: ${error.message}`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StorageAccessError(message, { details: { ...place }, cause: error })
  }
  return new StorageError(message, {
    isRetryable: RETRYABLE_CODES.has(code),
    details: { ...place },
    cause: error,
  })
}
