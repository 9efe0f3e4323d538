import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { formatBytes, formatKey } from '../../format.ts'
import { type GlobalOptions, openStorage, print, UsageError } from '../../global-options.ts'
import { interruptible } from '../../interruptible.ts'
import { TransferBar } from '../../transfer-bar.ts'

/** `lithops storage get <bucket> <key>` */
export async function getObject(
  [bucket, key]: readonly string[],
  options: GlobalOptions & { readonly out?: string },
): Promise<boolean> {
  const [from, name] = [bucket as string, key as string]
  const file = options.out ?? basename(name)
  if (file === '') throw new UsageError(`The key ${formatKey(name)} names no file: say where to with --out.`)
  if (file === '-' && options.json) throw new UsageError('--json and --out - both write to standard output.')
  await using storage = openStorage(options, from)
  const bar = await TransferBar.open(options)
  try {
    const sizeBytes = await interruptible(async signal => {
      if (file !== '-')
        return (await storage.downloadFile(name, file, { signal, onProgress: bar.update })).sizeBytes
      await pipeline(await storage.get(name, { as: 'stream', signal }), process.stdout, { end: false })
      return undefined
    })
    bar.stop()
    if (sizeBytes === undefined) return true
    print(
      options,
      { ok: true, bucket: from, key: name, file, sizeBytes },
      `${formatKey(name)} is in ${file}: ${formatBytes(sizeBytes)}.`,
    )
    return true
  } finally {
    bar.stop()
  }
}
