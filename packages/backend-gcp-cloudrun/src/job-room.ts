import { QuotaRoom } from '@lithops/container-runtime'
import type { DriverLog } from '@lithops/core/driver'
import type { ExecutionApi } from './execution-api.ts'
import type { JobApi } from './job-api.ts'
import { CROWDED_JOBS } from './limits.ts'
import { isOf, secretName, shortName } from './names.ts'
import type { RunJob } from './resource-api.ts'
import type { ServiceSecrets } from './secrets.ts'

/** Each takes some writing requests, of which a project has few in a minute. */
const REMOVALS_AT_ONCE = 4
/** Other programs of the same user may be about to use one that was made or run so lately. */
const SPARE_MS = 600_000
/** So many are removed beyond what is needed, so that it need not be done for each new one. */
const MORE = 20

export interface JobRoomOptions {
  readonly jobs: JobApi
  readonly executions: ExecutionApi
  readonly secrets: ServiceSecrets
  /** Part of names that tells users apart. */
  readonly user: string
  readonly log: DriverLog
}

/**
 * Removes this user's jobs that have not been used for the longest time, before there are so many that new ones are refused. A program
 * that needs one again makes it again.
 */
export function jobRoom({ jobs, executions, secrets, user, log }: JobRoomOptions): QuotaRoom<RunJob> {
  return new QuotaRoom<RunJob>({
    noun: 'jobs',
    crowdedFrom: CROWDED_JOBS,
    leaves: CROWDED_JOBS - MORE,
    spareMs: SPARE_MS,
    removalsAtOnce: REMOVALS_AT_ONCE,
    list: options => jobs.list(options),
    nameOf: ({ name }) => shortName(name),
    mayGo: ({ name, labels }) => isOf(user, shortName(name), labels),
    usedMs,
    remove: async ({ name: full }, options) => {
      const name = shortName(full)
      if ((await executions.list(name, options)).some(({ isOver }) => !isOver)) return false
      await jobs.remove(name, options)
      await secrets.remove(secretName(name), options.signal).catch(() => {})
      return true
    },
    log,
  })
}

/** When it was made, changed or run last, in milliseconds since 1970. */
function usedMs({ createTime, updateTime, latestCreatedExecution }: RunJob): number {
  const times = [createTime, updateTime, latestCreatedExecution?.createTime]
  return Math.max(...times.map(time => Number(time?.seconds ?? 0) * 1000))
}
