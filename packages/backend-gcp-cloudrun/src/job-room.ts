import { type DriverLog, forEachAtOnce } from '@lithops/core/driver'
import type { ExecutionApi } from './execution-api.ts'
import type { CallOptions } from './google-requests.ts'
import type { JobApi } from './job-api.ts'
import { CROWDED_JOBS } from './limits.ts'
import { isOf, secretName, shortName } from './names.ts'
import type { RunJob } from './resource-api.ts'
import type { ServiceSecrets } from './secrets.ts'

const REMOVALS_AT_ONCE = 4
/** Other programs of the same user may be about to use one that was made or run so lately. */
const UNUSED_AFTER_MS = 600_000
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
export class JobRoom {
  readonly #options: JobRoomOptions

  constructor(options: JobRoomOptions) {
    this.#options = options
  }

  /** Rejects with an error of the API. */
  async make(options: CallOptions): Promise<void> {
    const { jobs, executions, secrets, user, log } = this.#options
    const all = await jobs.list(options)
    if (all.length < CROWDED_JOBS) return
    const unused = all
      .filter(
        job => isOf(user, shortName(job.name), job.labels) && Date.now() - usedMs(job) > UNUSED_AFTER_MS,
      )
      .sort((a, b) => usedMs(a) - usedMs(b))
      .slice(0, all.length - CROWDED_JOBS + MORE)
    log.debug(`of ${all.length} jobs, ${unused.length} that were not used for long are removed`)
    await forEachAtOnce(unused, REMOVALS_AT_ONCE, async job => {
      const name = shortName(job.name)
      const isRunning = (await executions.list(name, options)).some(({ isOver }) => !isOver)
      if (isRunning) return
      await jobs.remove(name, options)
      await secrets.remove(secretName(name), options.signal).catch(() => {})
    })
  }
}

/** When it was made, changed or run last, in milliseconds since 1970. */
function usedMs({ createTime, updateTime, latestCreatedExecution }: RunJob): number {
  const times = [createTime, updateTime, latestCreatedExecution?.createTime]
  return Math.max(...times.map(time => Number(time?.seconds ?? 0) * 1000))
}
