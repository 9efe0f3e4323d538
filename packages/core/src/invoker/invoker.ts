import type { ActivationReport, ComputeBackend, RuntimeSpec } from '../driver/compute-backend.ts'
import { CallError, InvocationError, LithopsError } from '../errors/index.ts'
import type { Call } from '../job/call.ts'
import { nowMs } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import { ActivationWriter, type JobPrefix } from '../worker/activation-message.ts'
import { readFrames } from '../worker/reply-frames.ts'
import { ActivationInFlight, type ActivationListener } from './activation-in-flight.ts'
import { AdoptedCalls } from './adopted-calls.ts'
import { tooLarge } from './call-faults.ts'
import { handBackAfterMs, inputBytes, isSentAhead, takeGroup } from './group-size.ts'
import { isReference, spillInputs, takeAlong } from './input-spill.ts'
import { type JobSurroundings, makeJobPrefix } from './job-message.ts'
import { Lane } from './lane.ts'
import { type MonitoredCalls, MonitoredFrames } from './monitored-frames.ts'
import { OverdueWatch, silenceMs, silenceOf } from './overdue.ts'
import { Restarts } from './restarts.ts'

/** What an activation message has beside prefix and calls. */
const COUNTS_BYTES = 12

/** What all activations of a job on one backend have. */
interface JobOnLane {
  readonly prefix: JobPrefix
  readonly runtime: RuntimeSpec
}

interface ActiveJob {
  readonly job: Job
  readonly surroundings: JobSurroundings
  /** By lane; undefined while it is being made ready. */
  readonly lanes: Map<Lane, JobOnLane | undefined>
  /** Where each call was last sent, for jobs whose results come by a monitor. */
  readonly monitored: Map<number, MonitoredCalls> | undefined
  /** Those of them that the platform has taken and that are silent. */
  readonly overdue: OverdueWatch
  readonly listener: ActivationListener
}

/**
 * Sends the calls of an executor's jobs to its backends: groups calls into activations, keeps as many under way as the
 * backends take, sends again what was lost, and ends each call exactly once.
 */
export class Invoker {
  readonly #lanes: Lane[] = []
  readonly #active = new Map<string, ActiveJob>()
  readonly #inFlight = new Set<ActivationInFlight>()
  readonly #byCall = new Map<Call, ActivationInFlight>()
  readonly #restarts = new Restarts(() => this.pump())
  #isolatesCalls = false
  #failure: { readonly error: unknown } | undefined
  #nextActivation = 0
  #isPumping = false
  #pumpTimer: NodeJS.Timeout | undefined
  #isClosed = false

  /** Backends to send to. Until there are any, jobs wait. */
  use(backends: readonly ComputeBackend[], options: { readonly isolatesCalls?: boolean } = {}): void {
    for (const backend of backends) this.#lanes.push(new Lane(backend))
    this.#isolatesCalls = options.isolatesCalls ?? false
    this.pump()
  }

  /** There will be no backend: jobs end with this error, those that wait and those that come. */
  fail(error: unknown): void {
    this.#failure = { error }
    for (const { job } of this.#active.values()) this.#stop(job, error)
  }

  /** Takes a job on. Its calls may come later; `pump` is called when there are new ones. */
  add(job: Job, surroundings: JobSurroundings): void {
    const monitored = surroundings.publisher === undefined ? undefined : new Map<number, MonitoredCalls>()
    const overdue = new OverdueWatch({
      overdue: (activation, error) => {
        if (activation instanceof ActivationInFlight) this.#restarts.lost(activation, activation.lane, error)
        else this.#restarts.faults(activation.openCalls, error)
        this.pump()
      },
      unbegun: ({ openCalls }) => {
        for (const call of openCalls) this.#restarts.again(call)
        this.pump()
      },
      unheard: waitedMs => this.stopJob(job, surroundings.unheard?.(waitedMs)),
      isAnyRunning: () =>
        [...new Set(monitored?.values())].some(({ openCalls }) =>
          openCalls.some(({ state }) => state === 'running'),
        ),
    })
    const listener: ActivationListener = {
      failed: (call, frame) => this.#restarts.failed(call, frame),
      begun: activation => overdue.begun(activation),
      handedBack: back => {
        job.enqueueFirst(back)
      },
    }
    this.#active.set(job.key, { job, surroundings, lanes: new Map(), monitored, overdue, listener })
    if (this.#failure !== undefined) this.#stop(job, this.#failure.error)
    this.pump()
  }

  /** Forgets a job whose calls have all ended. */
  remove(job: Job): void {
    this.#active.get(job.key)?.overdue.close()
    this.#active.delete(job.key)
  }

  /** A hint that a job comes: lets the backends start what is slow to start. */
  prepare(workers: number): void {
    for (const { backend } of this.#lanes) backend.prepare?.(backend.defaultRuntime, workers)
  }

  /** How many calls the backends could hold at once, for sizing buffers. */
  get capacity(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.backend.capabilities.maxActivations, 0)
  }

  /** Sends what can be sent. Cheap when there is nothing to do. */
  pump(): void {
    if (this.#isPumping || this.#isClosed) return
    this.#isPumping = true
    try {
      // One activation per job in turn, so that a small job is not stuck behind a large one.
      for (let sent = true; sent; ) {
        sent = false
        for (const active of this.#active.values()) if (this.#sendOne(active)) sent = true
      }
    } finally {
      this.#isPumping = false
    }
  }

  /** Listens to what the workers of another client tell of these calls, from the job's id 0 on. */
  adopt(job: Job, calls: readonly Call[]): AdoptedCalls {
    const adopted = new AdoptedCalls(job, calls)
    const monitored = this.#active.get(job.key)?.monitored
    for (const call of calls) monitored?.set(call.id, adopted)
    return adopted
  }

  /** The other client is gone: calls that stay silent beyond their time limit are run again. */
  awaitAdopted(adopted: AdoptedCalls): void {
    const active = this.#active.get(adopted.job.key)
    const silent = this.#lanes.map(({ backend }) =>
      silenceMs({ ...backend.capabilities, synchronousReply: false }, backend.kind, {
        count: adopted.job.options.chunksize ?? 1,
        timeoutMs: adopted.job.options.timeoutMs,
      }),
    )
    active?.overdue.add(adopted, { callsMs: Math.max(...silent) })
  }

  /** Takes reply frames that came by a monitor. */
  readFrames(job: Job, frames: Uint8Array): void {
    const active = this.#active.get(job.key)
    active?.overdue.heard()
    if (active?.monitored !== undefined) readFrames(frames, new MonitoredFrames(job, active.monitored))
    this.pump()
  }

  /** Ends all open calls of a job with an error of its way home. */
  stopJob(job: Job, error: unknown): void {
    this.#stop(job, error)
    for (const activation of this.#inFlight) {
      if (activation.job !== job) continue
      for (const call of activation.openCalls) call.fail(error)
      activation.cancellation.request()
    }
    // calls that a platform has accepted are in no activation that is still under way
    for (const activation of new Set(this.#active.get(job.key)?.monitored?.values()))
      for (const call of activation.openCalls) call.fail(error)
  }

  /** Ends a call that nobody wants any more; its worker too, unless it is left alone. */
  cancel(
    call: Call,
    reason: string,
    cause?: unknown,
    { leavesWorkers = false }: { readonly leavesWorkers?: boolean } = {},
  ): void {
    if (call.isEnded) return
    const activation = this.#byCall.get(call)
    call.cancel(reason, cause)
    if (!leavesWorkers) activation?.callCancelled()
  }

  /** Aborts everything under way, but for durable jobs. Open calls must have been cancelled before. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#pumpTimer)
    for (const activation of this.#inFlight)
      if (!activation.job.options.durable) activation.cancellation.request()
    for (const { overdue } of this.#active.values()) overdue.close()
    this.#active.clear()
  }

  #sendOne(active: ActiveJob): boolean {
    const { job } = active
    if (job.peek() === undefined) return false
    if (job.stopped !== undefined) {
      this.#stop(job, job.stopped)
      return false
    }
    const lane = this.#freestLane(isSentAhead(job, this.capacity))
    if (lane === undefined) return false
    const onLane = active.lanes.get(lane)
    if (onLane === undefined) {
      if (!active.lanes.has(lane)) void this.#prepareLane(active, lane)
      return false
    }
    const calls = takeGroup(job, lane.backend.capabilities, {
      room: roomForInputs(lane, onLane.prefix),
      isolates: this.#isolatesCalls,
    })
    if (calls.length === 0) return false
    this.#send(active, lane, onLane, calls)
    return true
  }

  #freestLane(ahead: boolean): Lane | undefined {
    let best: Lane | undefined
    let bestShare = 0
    for (const lane of this.#lanes) {
      const free = lane.free(ahead)
      // a limit that is slowly growing is a fraction
      const share = free < 1 ? 0 : free / lane.backend.capabilities.maxActivations
      if (share > bestShare) {
        best = lane
        bestShare = share
      }
    }
    return best
  }

  async #prepareLane(active: ActiveJob, lane: Lane): Promise<void> {
    const { job, surroundings, lanes } = active
    lanes.set(lane, undefined)
    try {
      const bundle = await job.fn.bundle()
      job.addPackages(bundle.externalPackages)
      job.addFunction({ name: job.fn.name, hash: bundle.hash, read: () => bundle.read() })
      const runtime = lane.runtimeFor(job.runtime)
      const [prefix, metadata] = await Promise.all([
        makeJobPrefix(job, lane, surroundings),
        lane.ready(runtime, {
          signal: job.options.signal,
          ...(surroundings.secrets === undefined ? {} : { secrets: surroundings.secrets }),
          ...(surroundings.drivers === undefined ? {} : { drivers: surroundings.drivers }),
        }),
      ])
      lane.checkFunction(job, bundle.hash, runtime, metadata)
      lanes.set(lane, { prefix, runtime })
    } catch (error) {
      this.#drain(active, lane, error)
    }
    this.pump()
  }

  /** A backend that cannot take this job is left out; the job fails when none is left. */
  #drain(active: ActiveJob, lane: Lane, error: unknown): void {
    if (this.#lanes.length > 1) lane.drained = error
    if (this.#lanes.every(other => other.drained !== undefined) || this.#lanes.length === 1) {
      active.lanes.delete(lane)
      this.#stop(active.job, error)
    }
  }

  /** Ends the job's calls that wait to be sent; those that come later end the same way. */
  #stop(job: Job, error: unknown): void {
    job.stopped = error
    job.isStopped = true
    for (let call = job.take(); call !== undefined; call = job.take()) call.fail(error)
  }

  #send(active: ActiveJob, lane: Lane, { prefix, runtime }: JobOnLane, calls: readonly Call[]): void {
    const { job, monitored } = active
    const { capabilities } = lane.backend
    const isAdaptive = job.options.chunksize === undefined && capabilities.adaptiveChunks === true
    const writer = new ActivationWriter(prefix, {
      handBackAfterMs: isAdaptive ? handBackAfterMs(calls.length, calls[0]) : 0,
      sizeHint: calls.length * 24,
    })
    const sent: Call[] = []
    const invokedMs = nowMs()
    for (const call of calls) {
      try {
        writer.call(call.id, call.attempt, call.inputKind, out => call.writeInput(out))
      } catch (error) {
        call.fail(error)
        continue
      }
      call.state = 'invoked'
      call.invokedMs = invokedMs
      call.logParts = undefined
      sent.push(call)
    }
    if (sent.length === 0) return
    const payload = writer.take()
    if (payload.length > capabilities.maxPayloadBytes) {
      void this.#spill(active, lane, prefix, sent, payload.length)
      return
    }
    const id = `${job.key}-${this.#nextActivation++}`
    const activation = new ActivationInFlight({ job, calls: sent, lane, id, runtime }, active.listener)
    const { cancellation } = activation
    const onReply = (frames: Uint8Array) => activation.read(frames)
    this.#inFlight.add(activation)
    for (const call of sent) {
      this.#byCall.set(call, activation)
      monitored?.set(call.id, activation)
    }
    job.isSent = true
    lane.inFlight++
    const { round } = lane.pace
    lane.backend
      .invoke(
        {
          id,
          executorId: job.executorId,
          jobId: job.id,
          runtime,
          payload,
          callIds: activation.callIds,
          callTimeoutMs: job.options.timeoutMs,
          freshWorker: this.#isolatesCalls,
          repliesElsewhere: monitored !== undefined,
        },
        capabilities.takesCancellations === true
          ? { cancellation, onReply }
          : { signal: cancellation.signal, onReply },
      )
      .then(
        report => {
          lane.pace.accepted()
          activation.reported(report)
          this.#ended(activation, lane, undefined)
        },
        (error = new InvocationError('The activation was aborted.')) => {
          if (isRefused(error)) this.#refused(activation, lane, round, error)
          else {
            if (CallError.isInstance(error)) lane.pace.accepted()
            activation.reported(reportIn(error))
            this.#ended(activation, lane, error)
          }
        },
      )
  }

  /** The inputs are too large for a message: they are put into storage, and the calls are sent with references. */
  async #spill(
    { job, surroundings }: ActiveJob,
    lane: Lane,
    prefix: JobPrefix,
    calls: readonly Call[],
    payloadBytes: number,
  ): Promise<void> {
    const { internalStorage } = surroundings
    const spilled = calls.filter(call => !isReference(call))
    if (internalStorage === undefined || spilled.length === 0) {
      if (calls.length === 1) for (const call of calls) call.fail(tooLarge(call, payloadBytes, lane))
      for (const call of calls) call.mustBeAlone = true
      this.#restarts.sendAgain(job, calls)
      return
    }
    this.#restarts.sendAgain(job, calls.filter(isReference))
    takeAlong(job, spilled, call => inputBytes(call) > roomForInputs(lane, prefix))
    for (const call of spilled) call.state = 'waiting'
    try {
      await spillInputs(job, spilled, internalStorage())
      this.#restarts.sendAgain(job, spilled)
    } catch (error) {
      for (const call of spilled) if (!call.isEnded) call.fail(error)
    }
    this.pump()
  }

  /** The platform takes no more for now: the calls wait for their turn, and nobody is charged. */
  #refused(activation: ActivationInFlight, lane: Lane, round: number, error: InvocationError): void {
    const { retryAfterMs } = error.details
    lane.pace.refused(round, lane.inFlight - 1, typeof retryAfterMs === 'number' ? retryAfterMs : undefined)
    if (lane.pace.isStarved) return this.#ended(activation, lane, error)
    this.#forget(activation, lane)
    if (this.#isClosed) return
    this.#restarts.sendAgain(activation.job, activation.openCalls)
    this.pump()
    if (lane.pace.pauseMs > 0) this.#pumpLater(lane.pace.pauseMs)
  }

  #pumpLater(pauseMs: number): void {
    if (this.#pumpTimer !== undefined) return
    this.#pumpTimer = setTimeout(() => {
      this.#pumpTimer = undefined
      this.pump()
      const pauses = this.#lanes.map(lane => lane.pace.pauseMs).filter(pause => pause > 0)
      if (pauses.length > 0) this.#pumpLater(Math.min(...pauses))
    }, Math.ceil(pauseMs))
  }

  #forget(activation: ActivationInFlight, lane: Lane): void {
    lane.inFlight--
    this.#inFlight.delete(activation)
    for (const call of activation.calls) if (this.#byCall.get(call) === activation) this.#byCall.delete(call)
  }

  #ended(activation: ActivationInFlight, lane: Lane, error: unknown): void {
    this.#forget(activation, lane)
    const { job } = activation
    if (error === undefined && activation.openCount === 0) {
      if (activation.calls.length > job.largestGroup) job.largestGroup = activation.calls.length
    } else if (!this.#isClosed) {
      const active = this.#active.get(job.key)
      // Where results come by a monitor, the end of an activation says nothing of them.
      if (error === undefined && active?.monitored !== undefined)
        active.overdue.add(activation, silenceOf(activation, lane.backend, active.surroundings))
      else this.#restarts.lost(activation, lane, error)
    }
    this.pump()
  }
}

/** The platform says that there are too many, which says nothing of the calls. */
function isRefused(error: unknown): error is InvocationError {
  return InvocationError.isInstance(error) && error.isThrottled
}

/** What the platform said of an activation that broke. */
function reportIn(error: unknown): ActivationReport {
  const { requestId, billedMs } = LithopsError.isInstance(error) ? error.details : {}
  return {
    ...(typeof requestId === 'string' ? { requestId } : {}),
    ...(typeof billedMs === 'number' ? { billedMs } : {}),
  }
}

/** Bytes that the inputs of one activation may take. */
function roomForInputs({ backend }: Lane, prefix: JobPrefix): number {
  return backend.capabilities.maxPayloadBytes - prefix.bytes.length - COUNTS_BYTES
}
