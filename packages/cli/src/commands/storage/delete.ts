import { countOf, formatKey } from '../../format.ts'
import { openStorage, print, UsageError } from '../../global-options.ts'
import { interruptible } from '../../interruptible.ts'
import { type RemoveOptions, removeAll } from './remove-all.ts'

/** `lithops storage delete <bucket> <keys...>` or `--prefix` */
export async function deleteObjects(
  [bucket, ...keys]: readonly string[],
  options: RemoveOptions & { readonly prefix?: string },
): Promise<boolean> {
  const { prefix, dryRun = false } = options
  if ((prefix === undefined) === (keys.length === 0)) {
    throw new UsageError('storage delete takes keys or --prefix, and not both.')
  }
  if (prefix === '') throw new UsageError('An empty prefix is the whole bucket: use lithops storage empty.')
  if (prefix !== undefined) return removeAll(bucket as string, prefix, options)
  await using storage = openStorage(options, bucket as string)
  await interruptible(async signal => {
    if (!dryRun) await storage.delete(keys, { signal })
  })
  const text = dryRun
    ? `${keys.map(formatKey).join('\n')}\n${countOf(keys.length, 'object')} would be removed.`
    : `${countOf(keys.length, 'object')} removed.`
  print(options, { ok: true, dryRun, bucket, count: keys.length, removed: keys }, text)
  return true
}
