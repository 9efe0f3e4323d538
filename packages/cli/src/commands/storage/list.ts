import { once } from 'node:events'
import { countOf, formatBytes, formatKey } from '../../format.ts'
import { type GlobalOptions, openStorage } from '../../global-options.ts'
import { interruptible } from '../../interruptible.ts'

const SIZE_WIDTH = 14

/** `lithops storage list <bucket>`: lines as they are listed, so that a bucket of any size can be piped on. */
export async function listObjects(
  [bucket]: readonly string[],
  options: GlobalOptions & { readonly prefix: string },
): Promise<boolean> {
  const { prefix } = options
  await using storage = openStorage(options, bucket as string)
  await interruptible(async signal => {
    const objects: unknown[] = []
    let count = 0
    let sumBytes = 0
    for await (const { key, sizeBytes, lastModified } of storage.list(prefix, { signal })) {
      count++
      sumBytes += sizeBytes
      if (options.json) {
        objects.push({ key, sizeBytes, ...(lastModified === undefined ? {} : { lastModified }) })
        continue
      }
      const time = lastModified?.toISOString().slice(0, 19).replace('T', ' ') ?? ''
      await writeLine(`${String(sizeBytes).padStart(SIZE_WIDTH)}  ${time.padEnd(19)}  ${formatKey(key)}`)
    }
    if (options.json) await writeLine(JSON.stringify({ ok: true, bucket, prefix, objects }))
    else process.stderr.write(`${countOf(count, 'object')}, ${formatBytes(sumBytes)}.\n`)
  })
  return true
}

async function writeLine(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
}
