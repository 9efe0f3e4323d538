import {
  BATCH_ARGUMENT,
  EXIT_FACTS,
  functionFacts,
  functionsOfExits,
  METADATA_ARGUMENT,
  metadataOfExits,
  TELL_BY_EXIT_VARIABLE,
  WORKER_PATH,
} from '@lithops/container-runtime'
import { type DriverLog, pause, RuntimeDeployError, type RuntimeMetadata } from '@lithops/core/driver'
import { formatIndices, parseIndices } from './array-spec.ts'
import type { CodeEngineSettings } from './config.ts'
import {
  checkSize,
  type Deployer,
  type EnsureOptions,
  type KnownRuntime,
  type RuntimePlan,
} from './deployments.ts'
import { exitCodeIn, isPullFailure } from './index-ends.ts'
import { runName } from './names.ts'
import type { ProjectApi } from './project.ts'
import type { JobRun } from './resources.ts'
import type { RunRoom } from './run-room.ts'
import { hasStatus } from './vendor-errors.ts'

const FIRST_LOOK_MS = 200
const LONGEST_LOOK_MS = 3_000
/** None of them has begun in that time: the quotas of the project are taken by others, as a rule. */
const STUCK_MS = 900_000
/** Workers tell what they are in a moment. */
const METADATA_TIMEOUT_S = 120
const FACTS = Array.from({ length: EXIT_FACTS }, (_, i) => i)

export interface JobDeployerOptions {
  readonly project: ProjectApi
  readonly settings: CodeEngineSettings
  readonly user: string
  readonly room: RunRoom
  readonly log: DriverLog
}

/** Makes jobs, together with any number of other programs that do the same. */
export class JobDeployer implements Deployer {
  readonly #options: JobDeployerOptions

  constructor(options: JobDeployerOptions) {
    this.#options = options
  }

  async ensure(plan: RuntimePlan, { known, signal }: EnsureOptions): Promise<KnownRuntime> {
    if (known !== undefined) return known
    const { project, log } = this.#options
    const { name } = plan
    const isThere = (await project.find('jobs', name, { signal })) !== undefined
    if (!isThere) {
      log.info(`making the job ${name}`)
      const body = this.#job(plan)
      checkSize(`job ${name}`, body)
      try {
        await project.create('jobs', body, { signal })
      } catch (error) {
        // another program was faster, with the same
        if (!hasStatus(error, 409)) throw error
      }
    }
    try {
      return { metadata: await this.#ask(plan, signal) }
    } catch (error) {
      // what was made here and does not work goes again: the next use finds nothing broken
      if (!isThere && signal?.aborted !== true) await project.remove('jobs', name).catch(() => {})
      throw error
    }
  }

  #job({ name, image, pullSecret, size, variables }: RuntimePlan): object {
    const { settings } = this.#options
    return {
      name,
      image_reference: image,
      ...(pullSecret === undefined ? {} : { image_secret: pullSecret }),
      run_mode: 'task',
      run_commands: ['node'],
      run_arguments: [WORKER_PATH, BATCH_ARGUMENT],
      run_env_variables: variables,
      run_service_account: settings.serviceAccount,
      scale_cpu_limit: size.cpuLimit,
      scale_memory_limit: size.memoryLimit,
      scale_max_execution_time: settings.timeoutMs / 1000,
      // whether a call may run again is core's to say
      scale_retry_limit: 0,
    }
  }

  /**
   * What the workers of a job say of themselves. The API tells nothing that a job writes, but how its instances ended: each says
   * one number by its exit code.
   */
  async #ask(plan: RuntimePlan, signal: AbortSignal | undefined): Promise<RuntimeMetadata> {
    const { image } = plan
    const codes = await this.#exitCodes(plan, FACTS, signal)
    const { functionCount, ...metadata } = metadataOfExits(codes) ?? notWorkers(image, codes)
    if (functionCount === 0) return metadata
    // those that were put beside the worker need not be asked for; a runtime that was extended has others
    if (functionCount === plan.functions.length) return { ...metadata, functions: plan.functions }
    const told = await this.#exitCodes(plan, functionFacts(functionCount), signal)
    return { ...metadata, functions: functionsOfExits(told) ?? notWorkers(image, told) }
  }

  /** Runs workers of these indices that tell numbers, and gives those in the same order. */
  async #exitCodes(
    { name, image }: RuntimePlan,
    indices: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { project, user, room } = this.#options
    const run = runName(user, 'metadata')
    try {
      const body = {
        name: run,
        job_name: name,
        run_commands: ['node'],
        run_arguments: [WORKER_PATH, METADATA_ARGUMENT],
        run_env_variables: [{ type: 'literal', name: TELL_BY_EXIT_VARIABLE, value: 'yes' }],
        scale_array_spec: formatIndices(indices),
        scale_max_execution_time: METADATA_TIMEOUT_S,
        scale_retry_limit: 0,
      }
      await room
        .begin(run, () => project.create('job_runs', body, { signal }), signal)
        .catch(error => {
          // the name was given once: the answer to making it was lost
          if (!hasStatus(error, 409)) throw error
        })
      const ended = await this.#waitForEnd(run, image, signal)
      return indices.map(index => codeOf(index, ended, image))
    } finally {
      await project.remove('job_runs', run).catch(() => {})
      room.left(run)
    }
  }

  async #waitForEnd(name: string, image: string, signal: AbortSignal | undefined): Promise<JobRun> {
    const endMs = performance.now() + STUCK_MS
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 1.3)) {
      await pause(lookMs, signal)
      const run = await this.#options.project.find('job_runs', name, { signal })
      if (run === undefined)
        throw new RuntimeDeployError(`The job run ${name} was removed while it ran.`, { isRetryable: true })
      const { status, status_details: all } = run
      if (status === 'completed' || status === 'failed') return run
      if (performance.now() > endMs)
        throw notReady(image, all?.reason ?? `no instance has begun in ${STUCK_MS / 60_000} minutes`)
    }
  }
}

/** The number that an instance has told. */
function codeOf(index: number, { status_details: all }: JobRun, image: string): number {
  if (parseIndices(all?.succeeded_indices).includes(index)) return 0
  const reason = all?.indices_details?.[index]?.last_failure_reason ?? all?.reason
  const code = exitCodeIn(reason)
  // Node and shells end so when the worker could not be started at all
  if (code !== undefined && code < UNSTARTED_FROM) return code
  throw notReady(image, reason ?? 'the platform gives no reason')
}

/** 126 and 127: no such program; above 128: ended by a signal. */
const UNSTARTED_FROM = 126

function notWorkers(image: string, codes: readonly number[]): never {
  throw notReady(
    image,
    `they end with exit code ${codes[0]}; is node in the image, and does it know NODE_OPTIONS`,
  )
}

function notReady(image: string, reason: string): RuntimeDeployError {
  const advice = isPullFailure(reason)
    ? ' The image cannot be pulled: can Code Engine reach the registry (code_engine.docker_server), and may it (docker_user, docker_password)?'
    : reason === 'OOMKilled'
      ? ' Node needs more memory: raise code_engine.runtime_memory.'
      : reason === 'ExecutableNotFound'
        ? ' There is no node on the PATH of the image: `lithops runtime build` needs an image that has it.'
        : ''
  return new RuntimeDeployError(`The workers of ${image} do not start: ${reason}.${advice}`, {
    details: { reason, image },
  })
}
