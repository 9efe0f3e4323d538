import { InstanceSlots } from '../batch/instance-slots.ts'
import { runToEnd } from '../batch/run-to-end.ts'
import { type Container, type ContainerRuntime, PullError } from '../knative/containers/containers.ts'
import { indicesOf, specOf } from './check-body.ts'
import type { LoggedLine } from './cloud-logs.ts'
import { bytesOf, dataOf, environmentOf, loginOf, type Variable } from './environment.ts'
import type { InjectedCodeEngineFault } from './faults.ts'
import type { CodeEngineTiming } from './options.ts'
import type { ResourceStore, StoredResource } from './resource-store.ts'

export interface JobRunsOptions {
  readonly projectName: string
  readonly projectId: string
  readonly region: string
  readonly stores: Readonly<Record<'jobs' | 'job_runs' | 'config_maps' | 'secrets', ResourceStore>>
  readonly runtime: ContainerRuntime
  readonly timing: CodeEngineTiming
  readonly mostInstances: number
  readonly faults: readonly InjectedCodeEngineFault[]
}

interface Mount {
  readonly mount_path: string
  readonly reference: string
  readonly type: string
}

/** Of shells and of podman. The other reasons: "Understanding why job run indexes can fail" of the documentation. */
const NO_PROGRAM = 127

type State = 'pending' | 'running' | 'succeeded' | 'failed'

interface Instance {
  readonly index: number
  state: State
  retries: number
  startedAt?: string
  finishedAt?: string
  failure?: string
  container?: Container
  /** What it wrote after its last whole line. */
  partOfLine?: string
}

/** A job run that is there: what it inherits of its job was read when it was made. */
interface Run {
  readonly name: string
  readonly settings: StoredResource
  readonly instances: readonly Instance[]
  isRemoved: boolean
}

/** Runs of jobs: each index is an instance of the job's image, as many at once as there is room for. */
export class JobRuns {
  readonly #options: JobRunsOptions
  readonly #runs = new Map<string, Run>()
  readonly #slots: InstanceSlots
  #logs = ''
  /** Lines that instances wrote, whole ones. */
  readonly lines: LoggedLine[] = []
  /** Of all runs since the start. */
  instanceCount = 0

  constructor(options: JobRunsOptions) {
    this.#options = options
    this.#slots = new InstanceSlots(options.mostInstances)
  }

  /** A run was made: its instances wait for their turn. */
  made(resource: StoredResource): void {
    const { stores } = this.#options
    const job = resource.job_name === undefined ? {} : stores.jobs.get(String(resource.job_name))
    const settings: StoredResource = {
      ...job,
      ...resource,
      run_env_variables: [
        ...list<Variable>(job, 'run_env_variables'),
        ...list<Variable>(resource, 'run_env_variables'),
      ],
      run_volume_mounts: [
        ...list<Mount>(job, 'run_volume_mounts'),
        ...list<Mount>(resource, 'run_volume_mounts'),
      ],
    }
    const instances = indicesOf(settings.scale_array_spec).map(
      (index): Instance => ({ index, state: 'pending', retries: 0 }),
    )
    const run: Run = { name: resource.name, settings, instances, isRemoved: false }
    this.#runs.set(run.name, run)
    this.#tell(run)
    for (const instance of instances) this.#slots.enter(() => this.#live(run, instance))
  }

  /** A run was removed: its instances end. */
  removed(name: string): void {
    const run = this.#runs.get(name)
    if (run === undefined) return
    run.isRemoved = true
    this.#runs.delete(name)
    for (const { container } of run.instances) void container?.stop(this.#options.timing.graceMs)
  }

  /** Everything that instances ever wrote. */
  get logs(): string {
    return this.#logs
  }

  /** Instances that run now. */
  get activeCount(): number {
    return this.#slots.activeCount
  }

  /** The most that ran at once. */
  get mostAtOnce(): number {
    return this.#slots.mostAtOnce
  }

  async close(): Promise<void> {
    for (const run of this.#runs.values()) {
      run.isRemoved = true
      for (const { container } of run.instances) void container?.kill()
    }
    await this.#slots.close()
  }

  async #live(run: Run, instance: Instance): Promise<void> {
    if (run.isRemoved) return
    const { timing } = this.#options
    if (timing.startMs > 0) await new Promise(done => setTimeout(done, timing.startMs))
    const retryLimit = Number(run.settings.scale_retry_limit ?? 3)
    for (;;) {
      if (run.isRemoved) return
      const failure = await this.#runOnce(run, instance)
      instance.finishedAt = new Date().toISOString()
      if (failure !== undefined) instance.failure = failure
      if (failure === undefined || instance.retries >= retryLimit) {
        instance.state = failure === undefined ? 'succeeded' : 'failed'
        this.#tell(run)
        return
      }
      instance.retries++
    }
  }

  /** Resolves to why it failed; undefined when it did not. */
  async #runOnce(run: Run, instance: Instance): Promise<string | undefined> {
    const { runtime, stores, timing, faults } = this.#options
    const { settings } = run
    const image = String(settings.image_reference)
    try {
      await runtime.pull(image, loginOf(stores.secrets, settings.image_secret))
    } catch (error) {
      if (!(error instanceof PullError)) throw error
      await new Promise(done => setTimeout(done, timing.pullMs))
      return `ImagePullBackOff: ${error.message}`
    }
    const command = [...list<string>(settings, 'run_commands'), ...list<string>(settings, 'run_arguments')]
    const fault = faults.find(one => one.meets('instance'))?.fault
    const spec = {
      image,
      env: this.#environment(run, instance),
      ...(command.length === 0 ? {} : { command }),
      mounts: Object.fromEntries(
        list<Mount>(settings, 'run_volume_mounts').map(({ mount_path: place, reference, type }) => [
          place,
          dataOf(type === 'secret' ? stores.secrets : stores.config_maps, reference),
        ]),
      ),
      memoryBytes: bytesOf(settings.scale_memory_limit),
      cpuMillis: Number(settings.scale_cpu_limit ?? 1) * 1000,
    }
    const { exitCode, reason, isOverTime } = await runToEnd(spec, {
      runtime,
      timeLimitMs: Number(settings.scale_max_execution_time ?? 7_200) * 1000,
      graceMs: timing.graceMs,
      killAfterMs: fault?.kind === 'killInstance' ? fault.afterMs : undefined,
      onOutput: text => {
        this.#logs += text
        this.#keepLines(run, instance, text)
      },
      onStart: container => {
        instance.container = container
        instance.state = 'running'
        instance.startedAt = new Date().toISOString()
        this.instanceCount++
        this.#tell(run)
        if (run.isRemoved) void container.kill()
      },
    })
    if (fault?.kind === 'killInstance' && fault.reason !== undefined && exitCode !== 0) return fault.reason
    if (isOverTime) return 'MaxExecutionTimeExceeded'
    if (reason === 'OOMKilled') return 'OOMKilled'
    if (exitCode === NO_PROGRAM) return 'ExecutableNotFound'
    return exitCode === 0 ? undefined : `ContainerExitedCode${exitCode}`
  }

  #keepLines({ name, settings }: Run, instance: Instance, text: string): void {
    const { projectName: project, projectId } = this.#options
    const { index, retries } = instance
    const whole = `${instance.partOfLine ?? ''}${text}`.split('\n')
    instance.partOfLine = whole.pop() ?? ''
    for (const line of whole)
      this.lines.push({
        atMs: Date.now(),
        project,
        projectId,
        component: String(settings.job_name ?? name),
        subcomponent: name,
        instance: `${name}-${index}-${retries}`,
        text: line,
      })
  }

  #environment({ name, settings, instances }: Run, { index, retries }: Instance): Record<string, string> {
    const { projectId, region, stores } = this.#options
    return {
      ...environmentOf(list<Variable>(settings, 'run_env_variables'), stores),
      HOSTNAME: `${name}-${index}-${retries}`,
      JOB_INDEX: `${index}`,
      JOB_ARRAY_SIZE: `${instances.length}`,
      JOB_INDEX_RETRY_COUNT: `${retries}`,
      JOB_RETRY_LIMIT: `${settings.scale_retry_limit ?? 3}`,
      JOB_MODE: String(settings.run_mode ?? 'task'),
      CE_JOB: String(settings.job_name ?? ''),
      CE_JOBRUN: name,
      CE_PROJECT_ID: projectId,
      CE_REGION: region,
    }
  }

  #tell({ name, instances, isRemoved }: Run): void {
    const resource = this.#options.stores.job_runs.find(name)
    if (resource === undefined || isRemoved) return
    const ofState = (state: State) => instances.filter(one => one.state === state).map(({ index }) => index)
    const all = {
      pending: ofState('pending'),
      running: ofState('running'),
      succeeded: ofState('succeeded'),
      failed: ofState('failed'),
    }
    const isOver = all.pending.length + all.running.length === 0
    const hasBegun = instances.some(({ state }) => state !== 'pending')
    resource.status = isOver
      ? all.failed.length > 0
        ? 'failed'
        : 'completed'
      : hasBegun
        ? 'running'
        : 'pending'
    resource.status_details = {
      requested: instances.length,
      ...Object.fromEntries(
        Object.entries(all).flatMap(([state, indices]) => [
          [state, indices.length],
          ...(indices.length === 0 ? [] : [[`${state}_indices`, specOf(indices)]]),
        ]),
      ),
      indices_details: Object.fromEntries(instances.map(one => [one.index, detailsOf(one)])),
      ...(isOver ? { completion_time: new Date().toISOString() } : {}),
    }
  }
}

function detailsOf({ state, retries, startedAt, finishedAt, failure }: Instance): object {
  return {
    status: state,
    ...(startedAt === undefined ? {} : { started_at: startedAt }),
    ...(finishedAt === undefined ? {} : { finished_at: finishedAt }),
    ...(failure === undefined ? {} : { last_failure_reason: failure }),
    retries,
  }
}

function list<T>(resource: Readonly<Record<string, unknown>>, key: string): readonly T[] {
  return (resource[key] ?? []) as readonly T[]
}
