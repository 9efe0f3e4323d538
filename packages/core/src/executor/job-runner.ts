import { encodeValue } from '../codec/value.ts'
import type { RuntimeSpec } from '../driver/compute-backend.ts'
import { CallCancelledError } from '../errors/index.ts'
import { captureFunction } from '../function/index.ts'
import { CallHandle, type FutureOwner } from '../future/call-handle.ts'
import { FuturesList } from '../future/futures-list.ts'
import { FuturesStream } from '../future/futures-stream.ts'
import { ResponseFuture } from '../future/response-future.ts'
import type { Invoker } from '../invoker/invoker.ts'
import type { JobSurroundings } from '../invoker/job-message.ts'
import { Call } from '../job/call.ts'
import { inputFromCall, inputFromCalls, inputFromItem } from '../job/input.ts'
import { Job } from '../job/job.ts'
import type { JobOptions } from '../job/job-options.ts'
import { SourceReader } from '../job/source-reader.ts'
import { type BakedFunction, captureBaked } from './baked-function.ts'

export type AnyFunction = (...args: never[]) => unknown

/** What the runner needs of its executor. */
export interface JobHost extends FutureOwner {
  readonly executorId: string
  /** What the executor's options ask of the runtime. */
  readonly runtime: Partial<RuntimeSpec>
  /** What the runtime has, by the config; undefined: functions are sent. */
  readonly bakedFunction: BakedFunction | undefined
  readonly invoker: Invoker
  warn(message: string): void
  /** What the job's way home and storage add to its activations; watches the job where there is a monitor. */
  surroundingsOf(job: Job): Promise<JobSurroundings> | JobSurroundings
  /** All calls of the job have ended. */
  jobEnded(job: Job): void
}

/** The value lies in storage and only its own job can read it: it must be written anew for another function. */
function needsClassesOf({ result }: Call): boolean {
  return (
    result !== undefined &&
    'location' in result &&
    result.location.kind === 'object' &&
    result.location.hasClasses === true
  )
}

/** Makes jobs and their calls, feeds them to the invoker, and ends them. */
export class JobRunner {
  readonly #host: JobHost
  readonly #counters = { A: 0, M: 0, R: 0 }
  readonly #open = new Map<Job, Set<Call> | null>()
  readonly #calls = new WeakMap<Job, Call[]>()
  readonly #readers = new Map<Job, SourceReader>()
  /** Takes a job's listener off its signal, which may serve many jobs. */
  readonly #unfollow = new Map<Job, () => void>()

  constructor(host: JobHost) {
    this.#host = host
  }

  /** Jobs with calls that have not ended. */
  get openJobs(): Job[] {
    return [...this.#open.keys()]
  }

  /** Captures the function as it is now. */
  createJob(
    kind: 'A' | 'M' | 'R',
    fn: AnyFunction,
    options: JobOptions,
    extraArgs: readonly unknown[] | undefined,
  ): Job {
    const { includeModules, excludeModules, memoryMiB } = options
    const { bakedFunction } = this.#host
    const isBaked = kind === 'M' && bakedFunction !== undefined
    const bundling = { includeModules, excludeModules }
    const captured = isBaked
      ? captureBaked(fn, bakedFunction, bundling)
      : captureFunction(fn as (...args: unknown[]) => unknown, bundling)
    for (const warning of captured.warnings) this.#host.warn(warning)
    const id = `${kind}${String(this.#counters[kind]++).padStart(3, '0')}`
    const { runtime } = this.#host
    const extra =
      extraArgs === undefined || extraArgs.length === 0
        ? undefined
        : encodeValue([...extraArgs], captured.classes)
    const job = new Job(
      this.#host.executorId,
      id,
      captured,
      memoryMiB === undefined ? runtime : { ...runtime, memoryMiB },
      options,
      extra,
    )
    job.isBaked = isBaked
    this.#open.set(job, null)
    this.#calls.set(job, [])
    this.#followSignal(job)
    return job
  }

  #followSignal(job: Job): void {
    const { signal } = job.options
    if (signal === undefined) return
    const onAbort = () => this.cancelJob(job, 'its signal was aborted', signal.reason)
    if (signal.aborted) return void onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#unfollow.set(job, () => signal.removeEventListener('abort', onAbort))
  }

  /** Lets the job's calls be sent. */
  start(job: Job): void {
    const { invoker } = this.#host
    if (!this.#open.has(job)) return
    const surroundings = this.#host.surroundingsOf(job)
    if (!(surroundings instanceof Promise)) {
      invoker.add(job, surroundings)
      return
    }
    surroundings.then(
      ready => {
        if (this.#open.has(job)) invoker.add(job, ready)
      },
      error => this.failJob(job, error),
    )
  }

  /** Takes on a job that another client has begun: its calls wait until it is known how they stand. */
  adopt<T>(job: Job, calls: number): FuturesList<T> {
    this.#open.set(job, null)
    this.#calls.set(job, [])
    const futures = new FuturesList<T>()
    for (let i = 0; i < calls; i++) futures.push(this.waitingCall<T>(job))
    return futures
  }

  /** Calls that were not sent. */
  unsentIds(job: Job): number[] {
    const calls = this.#calls.get(job) ?? []
    return calls.flatMap(call => (call.state === 'ready' || call.state === 'waiting' ? [call.id] : []))
  }

  /** The calls of a job that have not ended, and maybe some that have, in order. */
  callsOf(job: Job): readonly Call[] {
    return this.#calls.get(job) ?? []
  }

  /** One call per item, all made now. Items that are futures are waited for one by one. */
  list<T>(job: Job, items: Iterable<unknown>): FuturesList<T> {
    const futures = new FuturesList<T>()
    for (const item of items) futures.push(new ResponseFuture<T>(this.#callForItem(job, item), this.#host))
    this.complete(job)
    this.start(job)
    return futures
  }

  /** One call per item of a source of unknown length, read as fast as futures are taken. */
  stream<T>(job: Job, source: Iterable<unknown> | AsyncIterable<unknown>): FuturesStream<T> {
    const reader = new SourceReader(source, {
      capacity: () => this.#host.invoker.capacity,
      openCount: () => job.openCount,
      untaken: () => stream.untaken,
      add: item => {
        const call = this.#callForItem(job, item)
        stream.add(new CallHandle<T>(call, this.#host))
        return call
      },
      pump: () => this.#host.invoker.pump(),
      end: error => {
        this.#readers.delete(job)
        this.complete(job)
        stream.end(error ?? whyStopped(job))
      },
      isStopped: () => job.isStopped,
    })
    const stream: FuturesStream<T> = new FuturesStream<T>({
      taken: () => reader.wake(),
      abandon: () => this.cancelJob(job, 'the loop over its futures was left'),
      cancel: reason => this.cancelJob(job, reason ?? 'cancel() was called'),
      progress: job.options.progress,
    })
    this.#readers.set(job, reader)
    this.start(job)
    reader.start()
    return stream
  }

  /** Adds a call whose input is the array of other calls' values. It runs when all of them have ended. */
  callOfCalls<T>(job: Job, dependencies: readonly Call[], tolerates: boolean): ResponseFuture<T> {
    const future = this.waitingCall<T>(job)
    this.dependOn(future.call, dependencies, tolerates)
    return future
  }

  /** Adds a call whose input is not known yet. */
  waitingCall<T>(job: Job): ResponseFuture<T> {
    const call = this.#newCall(job, undefined)
    if (job.isStopped) this.#endStopped(job, call)
    else call.state = 'waiting'
    return new ResponseFuture<T>(call, this.#host)
  }

  /** The same for streams, which hand out no promises. */
  waitingHandle<T>(job: Job): CallHandle<T> {
    return new CallHandle<T>(this.waitingCall(job).call, this.#host)
  }

  /** Gives a waiting call its input, the array of these calls' values, once all of them have ended. */
  dependOn(call: Call, dependencies: readonly Call[], tolerates: boolean): void {
    if (call.isEnded) return
    let left = dependencies.length
    const ready = () => {
      const good = dependencies.filter(dependency => dependency.state === 'success')
      void this.#enqueueWith(call, good, () => inputFromCalls(good, call.job))
    }
    if (left === 0) ready()
    for (const dependency of dependencies) {
      dependency.onEnd(() => {
        left--
        if (call.isEnded) return
        if (dependency.state !== 'success' && !tolerates) call.fail(dependency.error)
        else if (left === 0) ready()
      })
    }
  }

  /** No more calls will be added. */
  complete(job: Job): void {
    job.isComplete = true
    this.#checkEnd(job)
  }

  /** Cancels all calls of a job that have not ended. Returns how many. `leavesWorkers`: those that run them go on. */
  cancelJob(
    job: Job,
    reason: string,
    cause?: unknown,
    options: { readonly leavesWorkers?: boolean } = {},
  ): number {
    job.isStopped = true
    job.cancelled ??= { reason, cause }
    this.#readers.get(job)?.stop()
    let cancelled = 0
    for (const call of this.#calls.get(job) ?? []) {
      if (call.isEnded) continue
      cancelled++
      this.#host.invoker.cancel(call, reason, cause, options)
    }
    return cancelled
  }

  failJob(job: Job, error: unknown): void {
    job.isStopped = true
    job.stopped = error
    this.#readers.get(job)?.stop()
    for (const call of this.#calls.get(job) ?? []) if (!call.isEnded) call.fail(error)
  }

  /** Cancels everything; durable jobs go on where they run. */
  close(): void {
    for (const job of this.openJobs)
      this.cancelJob(job, 'its executor was closed', undefined, { leavesWorkers: job.options.durable })
  }

  #callForItem(job: Job, item: unknown): Call {
    if (item instanceof CallHandle) return this.#callAfter(job, item.call)
    const call = this.#newCall(job, undefined)
    if (job.isStopped) {
      this.#endStopped(job, call)
      return call
    }
    try {
      call.input = inputFromItem(item, job)
      job.enqueue(call)
    } catch (error) {
      call.fail(error)
    }
    return call
  }

  #callAfter(job: Job, dependency: Call): Call {
    const call = this.#newCall(job, undefined)
    if (job.isStopped) {
      this.#endStopped(job, call)
      return call
    }
    call.state = 'waiting'
    dependency.onEnd(() => {
      if (call.isEnded) return
      if (dependency.state !== 'success') {
        call.fail(dependency.error)
        return
      }
      void this.#enqueueWith(call, [dependency], () => inputFromCall(dependency, job))
    })
    return call
  }

  async #enqueueWith(call: Call, dependencies: readonly Call[], makeInput: () => unknown): Promise<void> {
    if (call.isEnded) return
    try {
      const unreadable = dependencies.filter(needsClassesOf)
      if (unreadable.length > 0) await Promise.all(unreadable.map(one => this.#host.fetchValue(one)))
      if (call.isEnded) return
      call.input = makeInput()
    } catch (error) {
      call.fail(error)
      return
    }
    call.job.enqueue(call)
    this.#host.invoker.pump()
  }

  #endStopped(job: Job, call: Call): void {
    const { reason = 'its job was stopped', cause } = job.cancelled ?? {}
    if (job.stopped !== undefined) call.fail(job.stopped)
    else call.cancel(reason, cause)
  }

  #newCall(job: Job, input: unknown): Call {
    const call = new Call(job, job.created++, input)
    job.callMade(call.id)
    const calls = this.#calls.get(job) as Call[]
    calls.push(call)
    call.onEnd(this.#onCallEnd)
    return call
  }

  readonly #onCallEnd = (call: Call): void => {
    const { job } = call
    job.callEnded(call.id)
    if (call.state !== 'success') {
      job.failed++
      this.#checkTolerance(job)
    }
    this.#forget(job)
    const reader = this.#readers.get(job)
    if (job.isStopped) reader?.stop()
    else reader?.wake()
    this.#checkEnd(job)
  }

  /** The runner keeps open calls only, so that a long stream does not pile up ended ones. */
  #forget(job: Job): void {
    const calls = this.#calls.get(job) ?? []
    if (calls.length > 1024 && calls.length > job.openCount * 2) {
      this.#calls.set(
        job,
        calls.filter(call => !call.isEnded),
      )
    }
  }

  #checkTolerance(job: Job): void {
    const { toleratedFailures } = job.options
    if (toleratedFailures === undefined || job.isStopped) return
    const allowed =
      'count' in toleratedFailures
        ? toleratedFailures.count
        : Math.floor(toleratedFailures.share * job.created)
    // a share of a job whose length is not known yet is judged when it is
    if ('share' in toleratedFailures && !job.isComplete) return
    if (job.failed > allowed) this.cancelJob(job, `more than ${allowed} of its calls failed`)
  }

  #checkEnd(job: Job): void {
    if (!job.isComplete || job.openCount > 0 || !this.#open.delete(job)) return
    this.#calls.delete(job)
    this.#unfollow.get(job)?.()
    this.#unfollow.delete(job)
    this.#host.invoker.remove(job)
    this.#host.jobEnded(job)
  }
}

/** The error of a stream whose source was not read to its end, so that half a result is not taken for a whole one. */
function whyStopped(job: Job): { readonly error: unknown } | undefined {
  if (!job.isStopped) return undefined
  if (job.stopped !== undefined) return { error: job.stopped }
  const { reason = 'it was stopped', cause } = job.cancelled ?? {}
  const { executorId, id: jobId } = job
  const error = new CallCancelledError(
    `Job ${job.key} was cancelled before its source was read to the end: ${reason}.`,
    { executorId, jobId, cause },
  )
  return { error }
}
