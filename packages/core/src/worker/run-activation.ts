import { AsyncLocalStorage } from 'node:async_hooks'
import { ByteWriter } from '../codec/byte-writer.ts'
import { encodeError, encodeErrorInto } from '../codec/error.ts'
import { decodeValueAt, encodeValue, encodeValueInto } from '../codec/value.ts'
import { CallTimeoutError } from '../errors/index.ts'
import type { ObjectPiece } from '../piece/index.ts'
import {
  decodeActivation,
  type IncomingActivation,
  type IncomingCall,
  readListInput,
} from './activation-message.ts'
import { CALL_OF_CODE, type CallServices, RunningCall } from './call-context.ts'
import { FunctionCache, type LoadedFunction } from './function-cache.ts'
import { readLocation, removeIfAbandoned, writeResult } from './job-objects.ts'
import { PieceWindow } from './piece-window.ts'
import { InputKind, type JobHead, type Location, Outcome } from './protocol.ts'
import { Publishing } from './publishing.ts'
import {
  writeEnded,
  writeHandedBack,
  writeLog,
  writeStarted,
  writeStorageRequests,
  writeWorkerFacts,
} from './reply-frames.ts'
import { ReplyRoom, resultOverLimit, resultTooLarge, shortenedError } from './reply-room.ts'
import type { WorkerHost } from './worker-host.ts'

/** Results are told at least this often while calls go on, and at once before anything slow. */
const FLUSH_AFTER_MS = 1
/** Or when this much has gathered. */
const FLUSH_AT_BYTES = 64 * 1024
/** Synchronous calls let the event loop turn this often, so that timers and messages are not starved. */
const YIELD_AFTER_MS = 20
/** What was given to a connection has left the process after so many turns of the event loop. */
const TURNS_TO_LEAVE = 4
/** A function whose signal was aborted at its timeout has this long to stop before its worker is given up. */
const TIMEOUT_GRACE_MS = 100
/** Head of a log frame, and a little more. */
const LOG_HEAD_BYTES = 16
/** Node fires a timer at once that is longer than this. No worker lives so long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The call in whose asynchronous context the current code runs. */
export const callOfCode = new AsyncLocalStorage<RunningCall>()

// An executor that a function makes, with whatever copy of core, is named by the call that made it.
const { [CALL_OF_CODE]: otherCopy } = globalThis as { [CALL_OF_CODE]?: () => RunningCall | undefined }
const value = () => callOfCode.getStore() ?? otherCopy?.()
Object.defineProperty(globalThis, CALL_OF_CODE, { value, configurable: true })

/** Milliseconds since 1970 with the resolution of performance.now(). */
export const nowMs = (): number => performance.timeOrigin + performance.now()

/** Of one activation. */
export interface RunOptions {
  /** The outside world of this activation. Default: the runner's. */
  readonly host?: WorkerHost
  /** Aborted when nobody waits for the calls any more: their signals are aborted, and those not begun are handed back. */
  readonly signal?: AbortSignal
  /** The message was read, and its calls begin. */
  readonly onAccepted?: () => void
}

/** Runs activations in this process; keeps functions warm between them. Several at once share a job's function. */
export class ActivationRunner {
  readonly #host: WorkerHost
  readonly #functions = new FunctionCache()
  readonly #runs = new Set<ActivationRun>()

  constructor(host: WorkerHost) {
    this.#host = host
  }

  /** Runs one activation message to its end. Throws ProtocolError only for a message that cannot be read. */
  async run(payload: Uint8Array, { host = this.#host, signal, onAccepted }: RunOptions = {}): Promise<void> {
    const activation = decodeActivation(payload)
    const run = new ActivationRun(activation, host, this.#functions, signal)
    const onAbort = () => run.cancel(signal?.reason)
    this.#runs.add(run)
    signal?.addEventListener('abort', onAbort, { once: true })
    onAccepted?.()
    try {
      await run.run()
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#runs.delete(run)
    }
  }

  /** The call whose function is running or awaited now; undefined when there are several. */
  get currentCall(): RunningCall | undefined {
    if (this.#runs.size !== 1) return undefined
    const [run] = this.#runs
    return run?.currentCall
  }

  /** Adds log text of a call; what is over the job's limit is dropped and the cut is marked. */
  log(call: RunningCall, stream: number, text: string): void {
    call.log(stream, text)
  }

  /** Tells at once what has not been told yet; for the moment before the process ends. */
  flush(): void {
    for (const run of this.#runs) run.flush()
  }
}

class ActivationRun {
  readonly #activation: IncomingActivation
  readonly #host: WorkerHost
  readonly #functions: FunctionCache
  readonly #signal: AbortSignal | undefined
  readonly #writer = new ByteWriter(1024)
  readonly #room: ReplyRoom
  /** Something says how large results may be. */
  #isLimited: boolean
  #hasStored = false
  #hasToldRequests = false
  #publishing: Publishing | undefined
  #services: CallServices
  /** The call that what was written last is about. */
  #toldCall: Pick<IncomingCall, 'callId' | 'attempt'> | undefined
  #flushedAt = performance.now()
  #flushScheduled = false
  /** Whether anything but log text waits to be told. */
  #hasProgress = false
  #peakMemoryKib = 0
  #pieces: PieceWindow | undefined
  currentCall: RunningCall | undefined
  /** The one that was begun last. */
  #lastCall: RunningCall | undefined
  /** Nothing is told any more. */
  #isOver = false

  constructor(
    activation: IncomingActivation,
    host: WorkerHost,
    functions: FunctionCache,
    signal: AbortSignal | undefined,
  ) {
    this.#activation = activation
    this.#host = host
    this.#functions = functions
    this.#signal = signal
    this.#services = {
      storage: host.openStorage,
      channel: undefined,
      log: (call, stream, text) => this.log(call, stream, text),
    }
    const { head, calls } = activation
    this.#room = new ReplyRoom(head, calls.length)
    this.#isLimited = head.maxReplyBytes !== undefined || head.inlineResultBytes !== undefined
  }

  /** Nobody waits for its calls: the one that runs is told to stop, and no other begins. */
  cancel(reason: unknown): void {
    this.currentCall?.abort(reason)
  }

  async run(): Promise<void> {
    const { calls, handBackAfterMs, head } = this.#activation
    writeWorkerFacts(this.#writer, this.#host.facts())
    this.#host.beginJob?.(head)
    let loaded: LoadedFunction
    try {
      if (head.publisher !== undefined) await this.#openPublishing(head)
      const begun = this.#tellBegun()
      loaded =
        this.#functions.loaded(this.#activation) ?? (await this.#functions.load(this.#activation, this.#host))
      await begun
    } catch (error) {
      for (const call of calls) await this.#failUnstarted(call, error)
      await this.#finish()
      return
    }
    const begun = performance.now()
    let yieldedAt = begun
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i] as IncomingCall
      const now = performance.now()
      const isLate = i > 0 && handBackAfterMs > 0 && now - begun > handBackAfterMs
      if (isLate || this.#signal?.aborted || this.#isBroken()) {
        this.#handBack(calls.slice(i))
        break
      }
      if (i === 0 || now - this.#flushedAt > FLUSH_AFTER_MS || this.#writer.length > FLUSH_AT_BYTES) {
        writeStarted(this.#writer, call.callId, call.attempt, nowMs())
        this.#hasProgress = true
        this.#toldCall = call
        this.flush()
      }
      if (now - yieldedAt > YIELD_AFTER_MS || (i === 0 && this.#publishing?.isRealTime)) {
        await this.#turn()
        yieldedAt = performance.now()
      }
      // Only what is asynchronous is awaited: a map of quick synchronous functions runs in one tick.
      const pending = this.#call(call, loaded)
      if (pending !== undefined && (await pending) === 'poisoned') {
        this.#handBack(calls.slice(i + 1))
        this.flush()
        await this.#publishing?.flush() // the host may end the process
        this.#host.poisoned(this.#lastCall as RunningCall)
        break
      }
    }
    await this.#finish()
  }

  async #finish(): Promise<void> {
    this.#peakMemoryKib = process.resourceUsage().maxRSS
    if (!this.#hasToldRequests) this.#tellRequests()
    this.flush()
    await this.#closePublishing()
    if (this.#looksForClient) {
      // what cannot be removed now is found by `lithops clean`
      await removeIfAbandoned(this.#activation.head, this.#host).catch(() => {})
    }
    this.#isOver = true
  }

  /** It has written into storage, where something would be left if the client is gone. */
  get #looksForClient(): boolean {
    return this.#hasStored || this.#activation.head.publisher?.kind === 'storage'
  }

  /** Writes what was asked of storages, with what the end of the activation still asks. */
  #writeRequests(): void {
    const { head } = this.#activation
    const ahead = {
      writes: head.publisher?.kind === 'storage' ? 1 : 0,
      reads: this.#looksForClient && head.clientMark !== undefined ? 1 : 0,
    }
    const requests = this.#host.takeStorageRequests?.(head, ahead) ?? {}
    if (Object.keys(requests).length > 0) writeStorageRequests(this.#writer, requests)
    this.#hasToldRequests = true
  }

  #tellRequests(): void {
    this.#writeRequests()
    const call = this.#toldCall ?? this.#activation.calls[0]
    if (this.#publishing !== undefined && call !== undefined && this.#writer.length > 0)
      this.#publishing.add(this.#writer.take(), call)
  }

  async #openPublishing(head: JobHead): Promise<void> {
    const publisher = await this.#host.openPublisher?.(head)
    if (publisher === undefined) return
    this.#publishing = new Publishing(publisher, head)
    this.#services = { ...this.#services, channel: publisher.channel?.bind(publisher) }
    if (Number.isFinite(this.#publishing.limit.bytes)) this.#isLimited = true
  }

  /**
   * Where nobody awaits the activation, the client learns of its beginning before the function runs: a worker that is lost
   * from here on is missed when its time is up, and not only when the platform could not keep the activation any longer.
   */
  async #tellBegun(): Promise<void> {
    const publishing = this.#publishing
    const [first] = this.#activation.calls
    if (publishing === undefined || first === undefined || this.#host.repliesReachClient === true) return
    // told at the first call anyway
    if (publishing.isRealTime) return
    writeStarted(this.#writer, first.callId, first.attempt, nowMs())
    await publishing.tellBegun(this.#writer.take(), first)
  }

  /** Nothing can be published any more. Throws where the client would hear nothing of it from here. */
  #isBroken(): boolean {
    try {
      this.#publishing?.check()
      return false
    } catch (error) {
      if (this.#host.repliesReachClient !== true) throw error
      return true
    }
  }

  /** What no monitor takes goes home with the reply, where there is somebody who reads it. */
  async #closePublishing(): Promise<void> {
    const publishing = this.#publishing
    try {
      await publishing?.close()
    } catch (error) {
      if (this.#host.repliesReachClient !== true) throw error
      for (const frames of publishing?.takeUnpublished() ?? []) this.#host.emit(frames)
    }
  }

  #handBack(calls: readonly IncomingCall[]): void {
    for (const call of calls) {
      writeHandedBack(this.#writer, call.callId, call.attempt)
      this.#publishing?.add(this.#writer.take(), call)
    }
  }

  /** Lets timers and messages in, and what is published out. */
  async #turn(): Promise<void> {
    const turns = this.#publishing?.isRealTime ? TURNS_TO_LEAVE : 1
    for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
  }

  #newCall(call: Pick<IncomingCall, 'callId' | 'attempt'>): RunningCall {
    const { head } = this.#activation
    return new RunningCall(head, call.callId, call.attempt, nowMs(), this.#services)
  }

  /** Runs one call. Returns nothing when it ended at once. */
  #call(call: IncomingCall, loaded: LoadedFunction): Promise<'done' | 'poisoned'> | undefined {
    const { head, bytes } = this.#activation
    const running = this.#newCall(call)
    this.currentCall = running
    this.#lastCall = running
    this.#host.beforeCall?.(running)
    if (call.kind !== InputKind.value) return this.#callWithInput(call, loaded, running)
    let result: unknown
    try {
      const item = decodeValueAt(bytes, call.start, call.end, loaded.classes)
      result = callOfCode.run(running, lithopsInvoke, loaded, item, running, head.function.isNative)
    } catch (error) {
      return this.#ended(running, Outcome.error, error, loaded)
    }
    if (isThenable(result)) return this.#await(result, running, loaded)
    return this.#ended(running, Outcome.value, result, loaded)
  }

  async #callWithInput(
    call: IncomingCall,
    loaded: LoadedFunction,
    running: RunningCall,
  ): Promise<'done' | 'poisoned'> {
    let result: unknown
    try {
      const item =
        call.kind === InputKind.piece
          ? this.#pieceOf(call, running)
          : await this.#input(call.kind, call.start, call.end, this.#activation.bytes, loaded)
      result = callOfCode.run(
        running,
        lithopsInvoke,
        loaded,
        item,
        running,
        this.#activation.head.function.isNative,
      )
    } catch (error) {
      await this.#ended(running, Outcome.error, error, loaded)
      return 'done'
    }
    if (isThenable(result)) return this.#await(result, running, loaded)
    await this.#ended(running, Outcome.value, result, loaded)
    return 'done'
  }

  #pieceOf(call: IncomingCall, running: RunningCall): ObjectPiece {
    this.#pieces ??= new PieceWindow(this.#activation, this.#host)
    return this.#pieces.take(this.#activation.calls.indexOf(call), running)
  }

  async #input(
    kind: number,
    start: number,
    end: number,
    bytes: Uint8Array,
    loaded: LoadedFunction,
  ): Promise<unknown> {
    if (kind === InputKind.value) return decodeValueAt(bytes, start, end, loaded.classes)
    if (kind === InputKind.list) {
      const parts = readListInput(bytes, start, end)
      return Promise.all(parts.map(part => this.#input(part.kind, part.start, part.end, bytes, loaded)))
    }
    const location = JSON.parse(Buffer.from(bytes.subarray(start, end)).toString('utf8')) as Location
    const there = await readLocation(location, this.#activation.head, this.#host)
    const kindThere = kind === InputKind.listReference ? InputKind.list : InputKind.value
    return this.#input(kindThere, 0, there.length, there, loaded)
  }

  #await(
    result: PromiseLike<unknown>,
    running: RunningCall,
    loaded: LoadedFunction,
  ): Promise<'done' | 'poisoned'> {
    this.#scheduleFlush()
    const { timeoutMs } = this.#activation.head
    return new Promise<'done' | 'poisoned'>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      let open = true
      let timedOut: CallTimeoutError | undefined
      const settle = (outcome: number, value: unknown) => {
        if (!open) return
        open = false
        if (timer !== undefined) clearTimeout(timer)
        running.onEscapedError(undefined)
        const ended =
          timedOut === undefined
            ? this.#ended(running, outcome, value, loaded)
            : this.#ended(running, Outcome.timeout, timedOut, loaded)
        if (ended === undefined) resolve('done')
        else ended.then(resolve, reject)
      }
      if (timeoutMs !== undefined) {
        timer = setTimeout(
          () => {
            timedOut = new CallTimeoutError(`The call ran longer than its timeout of ${timeoutMs} ms.`)
            running.abort(timedOut)
            timer = setTimeout(() => {
              if (!open) return
              open = false
              running.onEscapedError(undefined)
              Promise.resolve(this.#ended(running, Outcome.timeout, timedOut, loaded)).then(
                () => resolve('poisoned'),
                reject,
              )
            }, TIMEOUT_GRACE_MS)
          },
          Math.min(Math.max(0, running.startedMs + timeoutMs - nowMs()), LONGEST_TIMER_MS),
        )
      }
      running.onEscapedError(error => settle(Outcome.error, error))
      result.then(
        value => settle(Outcome.value, value),
        error => settle(Outcome.error, error),
      )
    })
  }

  /** Writes how a call ended. Returns a promise only where something must be awaited. */
  #ended(
    running: RunningCall,
    outcome: number,
    value: unknown,
    loaded: LoadedFunction | undefined,
  ): Promise<'done'> | undefined {
    const end = {
      callId: running.callId,
      attempt: running.attempt,
      outcome,
      startedMs: running.startedMs,
      endedMs: nowMs(),
      peakMemoryKib: this.#peakMemory(),
    }
    if (running.ending !== undefined) {
      end.outcome = Outcome.error
      value = running.ending
    }
    if (this.currentCall === running) this.currentCall = undefined
    this.#hasProgress = true
    this.#host.afterCall?.(running)
    if (this.#isLimited) return this.#endedWithinLimits(end, value, loaded)
    try {
      writeEnded(this.#writer, end, writer =>
        end.outcome === Outcome.value
          ? encodeValueInto(writer, value, loaded?.classes)
          : encodeErrorInto(writer, value, loaded?.classes),
      )
    } catch (error) {
      writeEnded(this.#writer, { ...end, outcome: Outcome.error }, writer =>
        encodeErrorInto(writer, error, loaded?.classes),
      )
    }
    return this.#publishing === undefined ? undefined : this.#publish(end)
  }

  /** The same where results may be too large for the way home: those go to storage. */
  async #endedWithinLimits(
    end: Parameters<typeof writeEnded>[1],
    value: unknown,
    loaded: LoadedFunction | undefined,
  ): Promise<'done'> {
    let { outcome } = end
    let body: Uint8Array
    try {
      body =
        outcome === Outcome.value ? encodeValue(value, loaded?.classes) : encodeError(value, loaded?.classes)
      if (outcome === Outcome.value && body.length > this.#inlineBytes()) {
        body = await this.#storeResult(end, body)
        outcome = Outcome.reference
      }
    } catch (error) {
      outcome = Outcome.error
      body = encodeError(error, loaded?.classes)
      value = error
    }
    this.#room.callEnded()
    if (outcome !== Outcome.reference && body.length > this.#roomBytes())
      body = encodeError(shortenedError(value, body.length, this.#maxBytes()))
    writeEnded(this.#writer, { ...end, outcome }, writer => writer.bytes(body))
    if (this.#publishing !== undefined) await this.#publish(end)
    return 'done'
  }

  /** The largest result that is told as it is. */
  #inlineBytes(): number {
    return Math.min(this.#activation.head.inlineResultBytes ?? Number.POSITIVE_INFINITY, this.#roomBytes())
  }

  #roomBytes(): number {
    return this.#publishing === undefined
      ? this.#room.left(this.#writer.length)
      : this.#publishing.limit.bytes
  }

  /** What errors say of the limit. */
  #maxBytes(): number {
    return this.#publishing?.limit.bytes ?? this.#room.maxBytes
  }

  async #storeResult(
    call: { readonly callId: number; readonly attempt: number },
    bytes: Uint8Array,
  ): Promise<Uint8Array> {
    const { head } = this.#activation
    if (head.storage === undefined)
      throw this.#publishing === undefined
        ? resultTooLarge(bytes.length, this.#room.maxBytes)
        : resultOverLimit(bytes.length, this.#publishing.limit)
    this.#hasStored = true
    return Buffer.from(JSON.stringify(await writeResult(head, call, bytes, this.#host)))
  }

  /** A call that took long is published before the next begins, which may take as long. */
  #publish(end: Omit<Parameters<typeof writeEnded>[1], 'outcome'>): Promise<'done'> | undefined {
    const publishing = this.#publishing as Publishing
    // with the end of the last call: a publishing of its own would be a request of its own
    const isLast = this.#activation.calls.at(-1)?.callId === end.callId
    if (isLast && !publishing.isRealTime) this.#writeRequests()
    publishing.add(this.#writer.take(), end)
    if (end.endedMs - end.startedMs < publishing.slowCallMs) return undefined
    // when it cannot be, the next call does not begin
    return publishing.flush().then(
      () => 'done',
      () => 'done',
    )
  }

  async #failUnstarted(call: IncomingCall, error: unknown): Promise<void> {
    await this.#ended(this.#newCall(call), Outcome.error, error, undefined)
  }

  log(call: RunningCall, stream: number, text: string): void {
    const { maxLogBytes } = this.#activation.head
    if (this.#isOver || call.logBytes >= maxLogBytes) return
    call.logBytes += Buffer.byteLength(text)
    let kept = call.logBytes > maxLogBytes ? `${text}\n[log cut at ${maxLogBytes} bytes]\n` : text
    if (this.#isLimited && Buffer.byteLength(kept) + LOG_HEAD_BYTES > this.#roomBytes()) {
      call.logBytes = maxLogBytes // the reply has no room for more of it
      kept = `[log cut: a reply takes ${this.#maxBytes()} bytes]\n`
      if (kept.length + LOG_HEAD_BYTES > this.#roomBytes()) return
    }
    writeLog(this.#writer, call.callId, call.attempt, stream, kept)
    this.#toldCall = call
    this.#scheduleFlush()
  }

  flush(): void {
    this.#flushedAt = performance.now()
    if (this.#writer.length === 0) return
    if (this.#publishing !== undefined) {
      if (this.#publishing.isRealTime && this.#toldCall !== undefined)
        this.#publishing.add(this.#writer.take(), this.#toldCall)
      return
    }
    const frames = this.#writer.take()
    this.#room.sent(frames.length)
    if (!this.#hasProgress && this.#host.emitLog !== undefined) this.#host.emitLog(frames)
    else this.#host.emit(frames)
    this.#hasProgress = false
  }

  /** What is written now is told as soon as the function waits for something. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      this.flush()
    })
  }

  #peakMemory(): number {
    // one system call per flush, not per call
    if (this.#peakMemoryKib === 0 || this.#writer.length === 0)
      this.#peakMemoryKib = process.resourceUsage().maxRSS
    return this.#peakMemoryKib
  }
}

/** The name under which `Job.localError` finds the end of the user's frames in a stack. */
function lithopsInvoke(
  loaded: LoadedFunction,
  item: unknown,
  context: RunningCall,
  isNative: boolean,
): unknown {
  const { fn, extraArgs } = loaded
  if (isNative) return extraArgs.length === 0 ? fn(item) : fn(item, ...extraArgs)
  return extraArgs.length === 0 ? fn(item, context) : fn(item, ...extraArgs, context)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
