import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeCrypto } from '../builtins.ts'
import type { ObjectHead, StorageBackend } from '../driver/storage-backend.ts'
import { type RepeatableBody, repeatableBody } from './repeatable-body.ts'
import type { StorageTransferOptions, StorageUploadOptions } from './storage-options.ts'

/** Files up to this size are read whole: one request, whatever the service does with streams. */
const WHOLE_FILE_BYTES = 4 * 1024 * 1024
const READ_BYTES = 1024 * 1024

/** A path or file: URL as a path. */
export function pathOf(file: string | URL): string {
  return typeof file === 'string' ? file : fileURLToPath(file)
}

export function keyOfFile(file: string | URL): string {
  return basename(pathOf(file))
}

/** Writes a file as an object. What is no regular file (a pipe, a device) is read once, without a known length. */
export async function uploadFile(
  backend: StorageBackend,
  bucket: string,
  file: string | URL,
  key: string,
  options: Omit<StorageUploadOptions, 'bucket'>,
): Promise<{ readonly etag?: string }> {
  const path = pathOf(file)
  const { onProgress, ...rest } = options
  const stats = await stat(path)
  if (stats.isDirectory()) throw new TypeError(`uploadFile: ${path} is a folder; upload its files one by one`)
  if (stats.isFile() && stats.size <= WHOLE_FILE_BYTES) {
    const bytes = await readFile(path, options)
    const { etag } = await backend.putObject(bucket, key, bytes, rest)
    onProgress?.({ doneBytes: bytes.length, totalBytes: bytes.length })
    return etag === undefined ? {} : { etag }
  }
  const totalBytes = stats.isFile() ? stats.size : undefined
  const body = fileBody(path, doneBytes =>
    onProgress?.(totalBytes === undefined ? { doneBytes } : { doneBytes, totalBytes }),
  )
  const { etag } = await backend.putObject(
    bucket,
    key,
    totalBytes === undefined ? { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator]() } : body,
    { ...rest, ...(totalBytes === undefined ? {} : { sizeBytes: totalBytes }) },
  )
  return etag === undefined ? {} : { etag }
}

function fileBody(path: string, onProgress: (doneBytes: number) => void): RepeatableBody {
  return repeatableBody(async function* () {
    let doneBytes = 0
    onProgress(0)
    for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
      const bytes = piece as Buffer
      yield bytes
      doneBytes += bytes.length
      onProgress(doneBytes)
    }
  })
}

/**
 * Writes an object as a file. It is there whole or not at all: the bytes are gathered beside it, under a name of their
 * own, and get its name at the end.
 */
export async function downloadFile(
  backend: StorageBackend,
  bucket: string,
  key: string,
  file: string | URL,
  options: Omit<StorageTransferOptions, 'bucket'>,
): Promise<ObjectHead> {
  const path = pathOf(file)
  const { onProgress, ...rest } = options
  const { body, ...head } = await backend.getObjectStream(bucket, key, rest)
  const pieces = body[Symbol.asyncIterator]()
  const partial = `${path}.${nodeCrypto().randomBytes(6).toString('hex')}.part`
  let handle: FileHandle | undefined
  try {
    await mkdir(dirname(path), { recursive: true })
    handle = await open(partial, 'wx')
    let doneBytes = 0
    onProgress?.({ doneBytes, totalBytes: head.sizeBytes })
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      options.signal?.throwIfAborted()
      await handle.writeFile(next.value)
      doneBytes += next.value.length
      onProgress?.({ doneBytes, totalBytes: head.sizeBytes })
    }
    await handle.close()
    handle = undefined
    await rename(partial, path)
  } catch (error) {
    await pieces.return?.()
    await handle?.close()
    await rm(partial, { force: true })
    throw error
  }
  return head
}
