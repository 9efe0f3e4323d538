import type { DeployedRuntime } from '@lithops/core'
import { type GlobalOptions, print, withExecutor } from '../global-options.ts'
import { table } from '../table.ts'

/** `lithops runtime list`: of several that have the same name and memory it says what they differ in. */
export function listRuntimes(options: GlobalOptions): Promise<boolean> {
  return withExecutor(options, async fexec => {
    const runtimes = await fexec.listRuntimes()
    const alike = runtimes.map(one => runtimes.filter(other => keyOf(other) === keyOf(one)))
    const rows = runtimes.map((one, i) => [
      one.backend,
      one.name,
      one.memoryMiB === undefined ? 'default' : `${one.memoryMiB} MiB`,
      one.version,
      (one.functions ?? []).join(', '),
      differences(one, alike[i] ?? []),
      one.workerName,
    ])
    const brought = runtimes.some(({ functions }) => functions !== undefined) ? 'Functions' : ''
    const isAlike = alike.some(group => group.length > 1)
    const columns = [
      'Backend',
      'Runtime',
      'Memory',
      'Version',
      brought,
      isAlike ? 'Differs in' : '',
      'Worker',
    ]
    const hint = isAlike
      ? '\n`lithops runtime delete NAME` removes all of a name and memory; with the name of a worker in its place, that one.'
      : ''
    const text = rows.length === 0 ? 'No runtimes are deployed.' : `${await table(columns, rows)}${hint}`
    print(options, { ok: true, runtimes }, text)
    return true
  })
}

function keyOf({ backend, name, memoryMiB }: DeployedRuntime): string {
  return JSON.stringify([backend, name, memoryMiB])
}

/** A line for each detail that is not the same for all of them; none for one alone. */
function differences({ details = {} }: DeployedRuntime, alike: readonly DeployedRuntime[]): string {
  return Object.entries(details)
    .filter(([key, value]) => alike.some(other => other.details?.[key] !== value))
    .map(([key, value]) => `${key} ${value}`)
    .join('\n')
}
