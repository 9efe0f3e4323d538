import { type GlobalOptions, print, withExecutor } from '../global-options.ts'
import { table } from '../table.ts'

/** `lithops runtime list` */
export function listRuntimes(options: GlobalOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const runtimes = await fexec.listRuntimes()
    const rows = runtimes.map(({ backend, name, memoryMiB, version, functions = [], workerName }) => [
      backend,
      name,
      memoryMiB === undefined ? 'default' : `${memoryMiB} MiB`,
      version,
      functions.join(', '),
      workerName,
    ])
    const brought = runtimes.some(({ functions }) => functions !== undefined) ? 'Functions' : ''
    const text =
      rows.length === 0
        ? 'No runtimes are deployed.'
        : table(['Backend', 'Runtime', 'Memory', 'Version', brought, 'Worker'], rows)
    print(options, { ok: true, runtimes }, text)
    return true
  })
}
