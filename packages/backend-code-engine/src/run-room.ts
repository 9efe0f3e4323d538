import { forEachAtOnce } from '@lithops/core/driver'
import { CROWDED_RUNS } from './limits.ts'
import { isRunName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { JobRun } from './resources.ts'

const REMOVALS_AT_ONCE = 8
/** Other programs of the same user may still want to see how their runs ended. */
const SEEN_AFTER_MS = 600_000
/** A config map is made before its run: one without a run is nobody's only when it is so old. */
const ORPHAN_AFTER_MS = 3_600_000
/** What is left of ours after old ones were removed, so that it need not be done for each run. */
const LEFT_RUNS = 40

export interface RunRoomOptions {
  readonly project: ProjectApi
  /** Part of names that tells users apart. */
  readonly user: string
  readonly log: { debug(message: string): void }
}

/** Removes this user's old job runs before there are so many that new ones are refused. */
export class RunRoom {
  readonly #options: RunRoomOptions
  /** Of this program, and not over. */
  readonly #active = new Set<string>()
  #kept: number | undefined

  constructor(options: RunRoomOptions) {
    this.#options = options
  }

  /** A run of that name begins. Rejects with an error of the API. */
  async enter(name: string): Promise<void> {
    this.#active.add(name)
    if (this.#kept === undefined || this.#kept >= CROWDED_RUNS) await this.makeRoom()
    this.#kept = (this.#kept ?? 0) + 1
  }

  /** It was removed, or never began. */
  left(name: string): void {
    if (this.#active.delete(name) && this.#kept !== undefined) this.#kept--
  }

  /** Removes runs that are over, from the oldest on, and what belongs to them. Returns how many. */
  async makeRoom(): Promise<number> {
    const { project, log } = this.#options
    const runs = await project.list('job_runs')
    const old = runs.length < CROWDED_RUNS ? [] : this.#oldOnes(runs)
    if (old.length > 0) log.debug(`removing ${old.length} job runs that are over`)
    await forEachAtOnce(old, REMOVALS_AT_ONCE, async ({ name }) => {
      await project.remove('job_runs', name)
      await project.remove('config_maps', name)
    })
    this.#kept = runs.length - old.length
    return old.length
  }

  /** Removes config maps of runs that are not there any more. Returns how many. */
  async removeOrphans(): Promise<number> {
    const { project, user } = this.#options
    const runs = new Set((await project.list('job_runs')).map(({ name }) => name))
    const orphans = (await project.list('config_maps')).filter(
      ({ name, created_at: at }) =>
        isRunName(user, name) &&
        !runs.has(name) &&
        !this.#active.has(name) &&
        Date.now() - Date.parse(at ?? '') > ORPHAN_AFTER_MS,
    )
    await forEachAtOnce(orphans, REMOVALS_AT_ONCE, ({ name }) => project.remove('config_maps', name))
    return orphans.length
  }

  #oldOnes(runs: readonly JobRun[]): readonly JobRun[] {
    const { user } = this.#options
    const over = runs
      .filter(({ name, status }) => isRunName(user, name) && !this.#active.has(name) && isOver(status))
      .sort((a, b) => createdMs(a) - createdMs(b))
    const seen = over.filter(run => Date.now() - createdMs(run) > SEEN_AFTER_MS)
    const tooMany = runs.length - LEFT_RUNS
    return (seen.length >= runs.length - CROWDED_RUNS + 1 ? seen : over).slice(0, tooMany)
  }
}

function isOver(status: JobRun['status']): boolean {
  return status === 'completed' || status === 'failed'
}

function createdMs({ created_at: at }: JobRun): number {
  const ms = Date.parse(at ?? '')
  return Number.isNaN(ms) ? 0 : ms
}
