import { basename } from 'node:path'
import type { Storage } from '@lithops/core'
import { formatBytes, formatKey } from '../../format.ts'
import { type GlobalOptions, openStorage, print, UsageError } from '../../global-options.ts'
import { interruptible } from '../../interruptible.ts'
import { TransferBar } from '../../transfer-bar.ts'

interface PutOptions extends GlobalOptions {
  readonly key?: string
  readonly contentType?: string
}

/** `lithops storage put <file> <bucket>` */
export async function putObject([file, bucket]: readonly string[], options: PutOptions): Promise<boolean> {
  const [from, to] = [file as string, bucket as string]
  if (from === '-' && options.key === undefined)
    throw new UsageError('storage put - needs --key for the object.')
  const key = options.key ?? basename(from)
  await using storage = openStorage(options, to)
  const sizeBytes = await interruptible(signal => write(storage, from, key, options, signal))
  print(
    options,
    { ok: true, bucket: to, key, sizeBytes },
    `${formatKey(key)} is in bucket ${to}: ${formatBytes(sizeBytes)}.`,
  )
  return true
}

/** Returns the number of bytes. */
async function write(
  storage: Storage,
  file: string,
  key: string,
  options: PutOptions,
  signal: AbortSignal,
): Promise<number> {
  const bar = await TransferBar.open(options)
  let doneBytes = 0
  const onProgress = (progress: { readonly doneBytes: number; readonly totalBytes?: number }) => {
    doneBytes = progress.doneBytes
    bar.update(progress)
  }
  const given = {
    signal,
    ...(options.contentType === undefined ? {} : { contentType: options.contentType }),
  }
  async function* input() {
    for await (const piece of process.stdin) {
      const bytes = piece as Buffer
      yield bytes
      onProgress({ doneBytes: doneBytes + bytes.length })
    }
  }
  try {
    if (file === '-') await storage.put(key, input(), given)
    else await storage.uploadFile(file, key, { ...given, onProgress })
    return doneBytes
  } finally {
    bar.stop()
    // the process would wait for a writer that has not ended
    if (file === '-') process.stdin.destroy()
  }
}
