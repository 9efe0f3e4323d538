import { type GlobalOptions, print, withExecutor } from '../global-options.ts'
import { table } from '../table.ts'

/** `lithops runtime list` */
export function listRuntimes(options: GlobalOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const runtimes = await fexec.listRuntimes()
    const rows = runtimes.map(({ backend, name, memoryMiB, version, workerName }) => [
      backend,
      name,
      memoryMiB === undefined ? 'default' : `${memoryMiB} MiB`,
      version,
      workerName,
    ])
    const text =
      rows.length === 0
        ? 'No runtimes are deployed.'
        : table(['Backend', 'Runtime', 'Memory', 'Version', 'Worker'], rows)
    print(options, { ok: true, runtimes }, text)
    return true
  })
}
