import type { Socket } from 'node:net'
import { MonitorError } from '@lithops/core/worker'
import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib'
import { monitorError } from './faults.ts'

/** The broker may take so long to answer. */
const CONNECT_MS = 10_000
/** And to take leave. */
const CLOSE_MS = 3_000
const FIRST_PAUSE_MS = 50
/** Between tries while the broker is away: who publishes must find the queue again that the client makes. */
const LONGEST_PAUSE_MS = 1_000
/** One that was lost is back by then when the next try finds it. */
const LOST_GRACE_MS = 1_500

export interface LinkOptions<T> {
  readonly url: string
  /** What errors call the broker. */
  readonly server: string
  readonly ca?: string | undefined
  /** How long it may be away until it is lost. */
  readonly timeoutMs: number
  /** Shown by the broker's own tools. */
  readonly name: string
  /** true: as long as there never was a connection, one try that fails is enough: the config may be wrong. */
  readonly failsFirst: boolean
  /** true: nothing is tried while nobody holds it, so that the process can end. */
  readonly restsUnheld: boolean
  /** true: whoever asks while the broker is lost waits for the next try. */
  readonly waitsWhenLost: boolean
  /** Makes channels and consumers after each connect. */
  readonly setUp: (connection: ChannelModel) => Promise<T>
  /** The broker has been away too long. It is tried on: `use` works again when it is back. */
  readonly onLost?: (error: MonitorError) => void
  readonly onBack?: () => void
}

/**
 * One connection that comes back by itself (amqplib's recovery), with a limit in time: longer than `timeoutMs` nobody waits
 * for it. It does not keep the process alive unless it is held.
 */
export class Link<T> {
  readonly #options: LinkOptions<T>
  #opening: Promise<RecoveringChannelModel> | undefined
  #recovering: RecoveringChannelModel | undefined
  #current: T | undefined
  #raw: RawConnection | undefined
  #lost: MonitorError | undefined
  #lastError: unknown
  #timer: NodeJS.Timeout | undefined
  #waiting: { readonly resolve: (current: T) => void; readonly reject: (error: unknown) => void }[] = []
  #holders = 0
  #wasThere = false
  #isClosed = false

  constructor(options: LinkOptions<T>) {
    this.#options = options
  }

  /** What is there now. */
  get current(): T | undefined {
    return this.#current
  }

  /** Why nobody waits any more; undefined while there is hope. */
  get lost(): MonitorError | undefined {
    return this.#lost
  }

  /** What `setUp` made; waits while the broker is away. Rejects with MonitorError when it is lost, or closed. */
  async use(): Promise<T> {
    if (this.#current !== undefined) return this.#current
    if (this.#isClosed) throw this.#closed()
    if (this.#lost !== undefined && !this.#options.waitsWhenLost) throw this.#lost
    const current = new Promise<T>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    if (this.#lost === undefined) this.#open()
    else setTimeout(() => this.#lost !== undefined && this.#rejectAll(this.#lost), LOST_GRACE_MS)
    return current
  }

  /** Lets go of a connection that looks dead, so that it is made anew. */
  renew(reason: string): void {
    const stream = this.#raw?.stream
    if (stream !== undefined && !stream.destroyed) {
      stream.destroy(new Error(reason))
      return
    }
    void this.#drop()
    if (this.#holders > 0) this.#open()
  }

  /** While it is held the process lives as long as the connection is open or tried. */
  hold(): () => void {
    if (this.#holders++ === 0) this.#raw?.stream?.ref()
    return () => {
      if (--this.#holders > 0) return
      this.#raw?.stream?.unref()
      // nobody waits: trying on would keep the process alive
      const isIdle = this.#current === undefined && this.#waiting.length === 0
      if (isIdle && this.#options.restsUnheld) void this.#drop()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#rejectAll(this.#closed())
    await this.#drop()
  }

  #open(): void {
    if (this.#opening !== undefined) return
    const { url, ca, name, failsFirst } = this.#options
    this.#awaitBack()
    const opening = connect(url, {
      noDelay: true,
      keepAlive: true,
      timeout: CONNECT_MS,
      clientProperties: { connection_name: name },
      ...(ca === undefined ? {} : { ca: [ca] }),
      recovery: {
        initialDelay: FIRST_PAUSE_MS,
        maxDelay: LONGEST_PAUSE_MS,
        waitForConnect: false,
        ...(failsFirst && !this.#wasThere ? { initialMaxRetries: 0 } : {}),
        setup: (connection: ChannelModel) => this.#setUp(connection),
      },
    })
    this.#opening = opening
    opening.then(
      recovering => this.#follow(recovering, opening),
      error => this.#failed(error),
    )
  }

  #follow(recovering: RecoveringChannelModel, opening: Promise<RecoveringChannelModel>): void {
    if (this.#opening !== opening) return void recovering.close()
    this.#recovering = recovering
    recovering.on('error', error => {
      this.#lastError = error
    })
    recovering.on('connect-failed', error => {
      this.#lastError = error
    })
    recovering.on('reconnect-failed', error => {
      if (this.#recovering === recovering) this.#failed(error)
    })
    recovering.on('disconnect', error => {
      if (this.#recovering !== recovering) return
      this.#lastError = error
      this.#current = undefined
      this.#raw = undefined
      if (this.#holders === 0 && this.#waiting.length === 0) void this.#drop()
      else this.#awaitBack()
    })
    // the first connection may have failed before anybody listened
    recovering.waitForConnect().catch(error => {
      if (this.#recovering === recovering) this.#failed(error)
    })
  }

  async #setUp(connection: ChannelModel): Promise<void> {
    // amqplib hears of the end of a connection only when it has been set up
    let isGone = false
    connection.once('close', () => {
      isGone = true
    })
    connection.on('error', error => {
      this.#lastError = error
    })
    const current = await this.#options.setUp(connection)
    if (isGone) throw new Error('the connection broke while it was set up')
    if (this.#isClosed) return
    this.#raw = connection.connection as RawConnection
    for (const timer of [this.#raw?.heartbeater?.sendTimer, this.#raw?.heartbeater?.recvTimer]) timer?.unref()
    if (this.#holders === 0) this.#raw?.stream?.unref()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#current = current
    this.#wasThere = true
    const wasLost = this.#lost !== undefined
    this.#lost = undefined
    for (const { resolve } of this.#waiting.splice(0)) resolve(current)
    if (wasLost) this.#options.onBack?.()
  }

  #awaitBack(): void {
    const { timeoutMs, server } = this.#options
    this.#timer ??= setTimeout(() => {
      this.#lost = monitorError(
        `RabbitMQ has been away for ${timeoutMs / 1000} s`,
        server,
        this.#lastError ?? new Error('it does not answer'),
      )
      this.#rejectAll(this.#lost)
      this.#options.onLost?.(this.#lost)
    }, timeoutMs)
    this.#timer.unref()
  }

  /** Nothing is tried any more; the next who asks begins anew. */
  #failed(error: unknown): void {
    const failure = monitorError('RabbitMQ cannot be reached', this.#options.server, error)
    void this.#drop()
    this.#rejectAll(failure)
  }

  async #drop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const recovering = this.#recovering
    const stream = this.#raw?.stream
    this.#recovering = undefined
    this.#opening = undefined
    this.#current = undefined
    this.#raw = undefined
    this.#lost = undefined
    if (recovering !== undefined) await closed(recovering, stream)
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #closed(): MonitorError {
    const { server } = this.#options
    return new MonitorError(`The connection to RabbitMQ (${server}) is closed.`, {
      code: 'LITHOPS_CLOSED',
      details: { server },
    })
  }
}

/** A connection that breaks while it says goodbye is closed, which amqplib does not tell; one that is silent is left. */
async function closed(recovering: RecoveringChannelModel, stream: Socket | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const gone = new Promise<void>(resolve => {
    timer = setTimeout(resolve, CLOSE_MS)
    stream?.once('close', () => resolve())
  })
  await Promise.race([recovering.close().catch(() => {}), gone])
  clearTimeout(timer)
  stream?.destroy()
}

/** What amqplib has below its connections and does not type. */
interface RawConnection {
  readonly stream?: Socket
  readonly heartbeater?: { readonly sendTimer?: NodeJS.Timeout; readonly recvTimer?: NodeJS.Timeout } | null
}
