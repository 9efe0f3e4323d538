import { type GlobalOptions, print, withExecutor } from '../global-options.ts'

/** `lithops clean [--dry-run]` */
export function clean(options: GlobalOptions & { readonly dryRun?: boolean }): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const dryRun = options.dryRun === true
    const removed = await fexec.cleanAll({ dryRun })
    const what = dryRun ? 'would be removed' : 'removed'
    const text =
      removed.length === 0
        ? 'There is nothing to remove.'
        : `${removed.join('\n')}\n${removed.length} ${what}.`
    print(options, { ok: true, dryRun, removed }, text)
    return true
  })
}
