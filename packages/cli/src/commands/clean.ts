import { type GlobalOptions, openExecutor, print } from '../global-options.ts'

/** `lithops clean [--dry-run]` */
export async function clean(options: GlobalOptions & { readonly dryRun?: boolean }): Promise<boolean> {
  await using fexec = openExecutor(options)
  const dryRun = options.dryRun === true
  const removed = await fexec.cleanAll({ dryRun })
  const what = dryRun ? 'would be removed' : 'removed'
  const text =
    removed.length === 0 ? 'There is nothing to remove.' : `${removed.join('\n')}\n${removed.length} ${what}.`
  print(options, { ok: true, dryRun, removed }, text)
  return true
}
