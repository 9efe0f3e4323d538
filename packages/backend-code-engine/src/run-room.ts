import { QuotaRoom } from '@lithops/container-runtime'
import { CONFIG_MAPS, CROWDED_RUNS } from './limits.ts'
import { isRunName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { JobRun, Tagged } from './resources.ts'
import { quotaIn } from './vendor-errors.ts'

/** Other programs of the same user may still want to see how their runs ended. */
const SPARE_RUNS_MS = 600_000
/** A config map is made before its run: one without a run is nobody's only when it is so old. */
const SPARE_MAPS_MS = 3_600_000
/** What is left of the project's runs after old ones were removed. */
const LEFT_RUNS = 40
const REMOVALS_AT_ONCE = 8

export interface RunRoomOptions {
  readonly project: ProjectApi
  /** Part of names that tells users apart. */
  readonly user: string
  readonly log: { debug(message: string): void }
}

/** Removes this user's old job runs, and config maps that no run has, before there are so many that new ones are refused. */
export class RunRoom {
  readonly #runs: QuotaRoom<JobRun>
  readonly #maps: QuotaRoom<Tagged>

  constructor({ project, user, log }: RunRoomOptions) {
    this.#runs = new QuotaRoom<JobRun>({
      noun: 'job runs',
      crowdedFrom: CROWDED_RUNS,
      leaves: LEFT_RUNS,
      spareMs: SPARE_RUNS_MS,
      takesSpared: true,
      removalsAtOnce: REMOVALS_AT_ONCE,
      list: options => project.list('job_runs', options),
      nameOf: ({ name }) => name,
      mayGo: ({ name, status }) => isRunName(user, name) && (status === 'completed' || status === 'failed'),
      usedMs: createdMs,
      remove: async ({ name }, options) => {
        await project.remove('job_runs', name, options)
        await project.remove('config_maps', name, options)
        return true
      },
      log,
    })
    this.#maps = new QuotaRoom<Tagged>({
      noun: 'config maps without a run',
      crowdedFrom: CONFIG_MAPS,
      leaves: 0,
      spareMs: SPARE_MAPS_MS,
      removalsAtOnce: REMOVALS_AT_ONCE,
      list: async options => {
        const runs = new Set((await project.list('job_runs', options)).map(({ name }) => name))
        return (await project.list('config_maps', options)).filter(({ name }) => !runs.has(name))
      },
      nameOf: ({ name }) => name,
      mayGo: ({ name }) => isRunName(user, name) && !this.#runs.isActive(name),
      usedMs: createdMs,
      remove: async ({ name }, options) => {
        await project.remove('config_maps', name, options)
        return true
      },
      log,
    })
  }

  /**
   * Makes a run of that name, and once more where it is refused for want of a quota of which something could be removed. Rejects with an
   * error of the API.
   */
  async begin<T>(name: string, make: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#runs.enter(name, { signal })
    try {
      return await make()
    } catch (error) {
      const { quota } = quotaIn(error) ?? {}
      const room = quota === 'job runs' ? this.#runs : quota === 'config maps' ? this.#maps : undefined
      const removed = (await room?.make({ isFull: true, signal })) ?? 0
      if (removed === 0) throw error
      return make()
    }
  }

  /** It was removed, or never began. */
  left(name: string): void {
    this.#runs.left(name)
  }
}

function createdMs({ created_at: at }: Tagged): number {
  const ms = Date.parse(at ?? '')
  return Number.isNaN(ms) ? 0 : ms
}
