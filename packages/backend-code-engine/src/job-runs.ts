import {
  type ArrayPlatform,
  type ArrayStart,
  type ArrayView,
  BATCH_VARIABLE,
  type RefusedStart,
  type StartedRun,
} from '@lithops/container-runtime'
import { InvocationError } from '@lithops/core/driver'
import { formatIndices, parseIndices } from './array-spec.ts'
import type { JobPlace } from './deployments.ts'
import { errorOfIndex, ranMsOf, requestIdOf } from './index-ends.ts'
import { ARRAY_SPEC_CHARACTERS, LARGEST_INDEX, RUN_BYTES, RUN_INDICES, VALUE_CHARACTERS } from './limits.ts'
import { runName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { JobRun } from './resources.ts'
import type { RunRoom } from './run-room.ts'
import { ApiError, hasStatus, mayPass, platformError } from './vendor-errors.ts'

/** Where the batch lies in the instances of a run. */
const BATCH_FOLDER = '/lithops-batch'
const BATCH_KEY = 'batch'

export interface JobRunsOptions {
  readonly project: ProjectApi
  /** Part of names that tells users apart. */
  readonly user: string
  readonly room: RunRoom
}

/** Array runs of jobs: each has its batch in a config map of its own name, and is read by its status. */
export class JobRuns implements ArrayPlatform<JobPlace> {
  readonly words = {
    platform: 'Code Engine',
    run: 'job run',
    instance: 'instance',
    nameKey: 'runName',
    whenStuck: (name: string) =>
      `the quotas of the project are taken by others, or the image cannot be pulled. \`ibmcloud ce jobrun events --name ${name}\` tells which.`,
  }
  readonly limits = {
    indices: RUN_INDICES,
    packedCharacters: VALUE_CHARACTERS,
    keptIndices: {
      largest: LARGEST_INDEX,
      fit: (indices: readonly number[]) => formatIndices(indices).length <= ARRAY_SPEC_CHARACTERS,
    },
  }
  readonly #options: JobRunsOptions

  constructor(options: JobRunsOptions) {
    this.#options = options
  }

  newMark(label: string): string {
    return runName(this.#options.user, label)
  }

  async start(start: ArrayStart<JobPlace>): Promise<StartedRun> {
    const { project, room } = this.#options
    const { mark: name, packed } = start
    const body = bodyOf(start)
    const bytes = Buffer.byteLength(JSON.stringify(body))
    if (bytes > RUN_BYTES)
      throw new InvocationError(
        `The job run ${name} takes ${bytes} bytes, and Code Engine takes ${RUN_BYTES}: code_engine.env_vars is too large.`,
        { isRetryable: false },
      )
    await room.begin(name, async () => {
      await madeOnce(project.create('config_maps', { name, data: { [BATCH_KEY]: packed } }))
      await madeOnce(project.create('job_runs', body))
    })
    return this.#started(start)
  }

  mayHaveBegun(error: unknown): boolean {
    return mayPass(error) && !hasStatus(error, 429)
  }

  async find(start: ArrayStart<JobPlace>): Promise<StartedRun | undefined> {
    const run = await this.#options.project.find('job_runs', start.mark)
    return run === undefined ? undefined : this.#started(start)
  }

  async discard({ mark }: ArrayStart<JobPlace>): Promise<void> {
    await this.#remove(mark)
  }

  explain(error: unknown, { mark }: Pick<ArrayStart<JobPlace>, 'mark'>): RefusedStart {
    const { details, message } = platformError(error, `beginning the job run ${mark}`)
    const told = { message, details, cause: error }
    const isOverQuota = details.quota !== undefined
    if (error instanceof ApiError && error.status === 429 && !isOverQuota) {
      const { retryAfterMs } = error
      const asked = retryAfterMs === undefined ? {} : { retryAfterMs }
      return { kind: 'busy', ...told, details: { ...details, ...asked } }
    }
    if (hasStatus(error, 404)) return { kind: 'gone', ...told }
    return { kind: mayPass(error) && !isOverQuota ? 'passing' : 'final', ...told }
  }

  #started({ mark: name, place, indices }: ArrayStart<JobPlace>): StartedRun {
    const { project } = this.#options
    return {
      name,
      look: async ({ signal }) => {
        const run = await project.find('job_runs', name, { signal })
        return run === undefined ? undefined : viewOf(run, { place, indices })
      },
      remove: () => this.#remove(name),
    }
  }

  async #remove(name: string): Promise<void> {
    const { project, room } = this.#options
    try {
      await project.remove('job_runs', name)
      await project.remove('config_maps', name)
    } finally {
      room.left(name)
    }
  }
}

function bodyOf({ mark: name, place, indices, first }: ArrayStart<JobPlace>): object {
  const { jobName, variables } = place
  // workers read the entry at their index and this
  const batch = { file: `${BATCH_FOLDER}/${BATCH_KEY}`, isPacked: true, first: -first }
  return {
    name,
    job_name: jobName,
    scale_array_spec: formatIndices(indices),
    run_env_variables: [
      ...variables,
      { type: 'literal', name: BATCH_VARIABLE, value: JSON.stringify(batch) },
    ],
    run_volume_mounts: [{ type: 'config_map', mount_path: BATCH_FOLDER, reference: name }],
  }
}

function viewOf(run: JobRun, { place, indices }: Pick<ArrayStart<JobPlace>, 'place' | 'indices'>): ArrayView {
  const { name: runName, status, status_details: all = {} } = run
  const { memoryMiB, timeoutMs } = place
  const { reason, indices_details: detailsOf } = all
  const running = parseIndices(all.running_indices)
  return {
    isOver: status === 'completed' || status === 'failed',
    said: [status, reason].filter(part => part !== undefined).join(', '),
    succeeded: status === 'completed' ? indices : parseIndices(all.succeeded_indices),
    failed: parseIndices(all.failed_indices),
    runningCount: running.length,
    // the platform counts seconds by its own clock: those of this machine since it was seen to run do
    running: new Map(running.map(index => [index, undefined])),
    reportOf: index => {
      const billedMs = ranMsOf(detailsOf?.[index])
      return {
        requestId: requestIdOf(runName, index),
        ...(billedMs === undefined ? {} : { billedMs }),
      }
    },
    errorOf: index =>
      errorOfIndex({ runName, index, memoryMiB, timeoutMs, details: detailsOf?.[index], reason }),
  }
}

/** A name that was given once is there already when the answer to making it was lost. */
async function madeOnce(making: Promise<unknown>): Promise<void> {
  try {
    await making
  } catch (error) {
    if (!hasStatus(error, 409)) throw error
  }
}
