import { randomBytes } from 'node:crypto'
import {
  ancestorsOf,
  type JobKey,
  MonitorError,
  type PublisherAddress,
  type PublisherLimit,
  type RabbitChannel,
  type StatusPublisher,
} from '@lithops/core/worker'
import type { ChannelModel, ConfirmChannel } from 'amqplib'
import { monitorError } from './faults.ts'
import { Link } from './link.ts'
import { type PieceHead, piecesOf, propertiesOf, queueOf } from './message.ts'

/** What the client's half says to this one. */
export interface RabbitAddress extends PublisherAddress {
  /** The broker's URL without user and password, for errors. */
  readonly server: string
  readonly ca?: string
  readonly timeoutMs: number
  readonly maxResultBytes: number
}

/** Functions begin although the broker has not answered by then. */
const FIRST_CONNECT_MS = 1_000
/** Before the same is published again. */
const AGAIN_MS = 100
/** A client that lives makes its queue again this soon after the broker has come back without it. */
const QUEUE_MISSING_MS = 10_000
/** Clouds freeze idle workers. A process that was not running for so long, or for a heartbeat, has a connection that may be dead. */
const FROZEN_MS = 20_000
/** It shows that it is running so often in that time. */
const TICKS = 4

interface WorkerChannel {
  readonly connection: ChannelModel
  readonly channel: ConfirmChannel
  /** Ids of messages that found no queue. */
  readonly returned: Set<string>
  /** Why the broker has closed the channel, though not the connection: a right that is missing, for instance. */
  closedBecause: unknown
}

/** Publishes what calls tell to the queue of their executor, and to those of its ancestors. One per worker process. */
export class RabbitPublisher implements StatusPublisher {
  readonly isRealTime = true
  readonly limit: PublisherLimit
  readonly #address: RabbitAddress
  readonly #id = randomBytes(6).toString('hex')
  readonly #link: Link<WorkerChannel>
  #count = 0
  #own: { readonly of: WorkerChannel; readonly channel: Promise<ConfirmChannel> } | undefined
  #seenAt = Date.now()
  readonly #frozenMs: number
  readonly #ticking: NodeJS.Timeout

  constructor(address: RabbitAddress, url: string | undefined) {
    const { server, ca, timeoutMs, maxResultBytes } = address
    if (url === undefined) {
      throw new MonitorError(
        `This worker was not given the URL of RabbitMQ (${server}): its runtime was deployed without the secret.`,
        { details: { server } },
      )
    }
    this.limit = { bytes: maxResultBytes, setting: 'rabbitmq.max_result_bytes' }
    this.#address = address
    this.#link = new Link({
      url,
      server,
      ca,
      timeoutMs,
      name: `lithops worker ${process.pid}`,
      failsFirst: false,
      restsUnheld: false,
      waitsWhenLost: true,
      setUp: setUpWorker,
    })
    const heartbeatMs = Number(new URL(url).searchParams.get('heartbeat')) * 1000
    this.#frozenMs = heartbeatMs > 0 ? Math.min(heartbeatMs, FROZEN_MS) : FROZEN_MS
    // timers are what runs first after a thaw
    this.#ticking = setInterval(() => this.#checkFrozen(), this.#frozenMs / TICKS)
    this.#ticking.unref()
  }

  /**
   * Connects, so that the first call is seen to run though it may never let go of the process. When the broker is away, that
   * is the matter of what is published.
   */
  async connect(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, FIRST_CONNECT_MS)
    })
    const release = this.#link.hold()
    await Promise.race([this.#link.use().catch(() => {}), late])
    clearTimeout(timer)
    release()
  }

  async publish(frames: Uint8Array, job: JobKey): Promise<void> {
    const release = this.#link.hold()
    try {
      await this.#publish(frames, job)
    } finally {
      release()
    }
  }

  async #publish(frames: Uint8Array, job: JobKey): Promise<void> {
    this.#checkFrozen()
    const pieces = piecesOf(frames)
    const count = this.#count++
    const heads = pieces.map(
      (_, piece): PieceHead => ({
        job,
        publisher: this.#id,
        count,
        piece,
        pieces: pieces.length,
      }),
    )
    const begun = performance.now()
    for (;;) {
      const current = await this.#link.use()
      try {
        return await this.#send(current, job, pieces, heads, begun + this.#address.timeoutMs)
      } catch (error) {
        const waitedMs = performance.now() - begun
        if (current.closedBecause !== undefined && this.#link.current === current)
          this.#link.renew('the broker has closed a channel')
        const limitMs = error instanceof QueueMissing ? QUEUE_MISSING_MS : this.#address.timeoutMs
        if (waitedMs > Math.min(limitMs, this.#address.timeoutMs)) {
          throw monitorError(
            `RabbitMQ did not take what a call of job ${job.executorId}/${job.jobId} told within ${Math.round(waitedMs / 1000)} s`,
            this.#address.server,
            current.closedBecause ?? error,
          )
        }
        await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  /** A channel apart, so that a mistake of the function does not close this one's. */
  async channel(): Promise<RabbitChannel> {
    this.#checkFrozen()
    const current = await this.#link.use()
    if (this.#own?.of !== current) {
      const channel = current.connection.createConfirmChannel()
      this.#own = { of: current, channel }
      const forget = () => {
        if (this.#own?.channel === channel) this.#own = undefined
      }
      channel.then(opened => {
        opened.on('error', forget)
        opened.on('close', forget)
      }, forget)
    }
    return this.#own.channel as Promise<RabbitChannel>
  }

  /** What functions have sent has arrived. That it has not is no reason to run their calls again. */
  async flush(): Promise<void> {
    try {
      await (await this.#own?.channel)?.waitForConfirms()
    } catch (error) {
      console.warn(`RabbitMQ did not confirm all that functions have sent: ${String(error)}`)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#ticking)
    this.#link.hold()
    await this.flush()
    await this.#link.close()
  }

  async #send(
    { channel, returned }: WorkerChannel,
    job: JobKey,
    pieces: readonly Buffer[],
    heads: readonly PieceHead[],
    deadline: number,
  ): Promise<void> {
    // ancestors are told as much as one message carries
    const others = pieces.length === 1 ? ancestorsOf(job.executorId).map(queueOf) : []
    const confirms: Promise<void>[] = []
    for (const [i, piece] of pieces.entries()) {
      const properties = propertiesOf(heads[i] as PieceHead)
      confirms.push(confirmed(channel, queueOf(job.executorId), piece, { ...properties, mandatory: true }))
      for (const queue of others) confirms.push(confirmed(channel, queue, piece, properties))
    }
    await before(deadline, Promise.all(confirms))
    // the broker returns a message before it confirms it
    const isMissing = heads.some(head => returned.delete(propertiesOf(head).messageId ?? ''))
    if (isMissing)
      throw new QueueMissing(`there is no queue '${queueOf(job.executorId)}': its program is gone`)
  }

  /** Messages would be lost on a connection that the broker has given up while this process was frozen. */
  #checkFrozen(): void {
    const now = Date.now()
    if (now - this.#seenAt > this.#frozenMs) this.#link.renew('this process was not running for a while')
    this.#seenAt = now
  }
}

class QueueMissing extends Error {}

async function setUpWorker(connection: ChannelModel): Promise<WorkerChannel> {
  const channel = await connection.createConfirmChannel()
  const returned = new Set<string>()
  const current: WorkerChannel = { connection, channel, returned, closedBecause: undefined }
  channel.on('error', error => {
    current.closedBecause = error
  })
  channel.on('return', message => {
    if (typeof message.properties.messageId === 'string') returned.add(message.properties.messageId)
  })
  return current
}

function confirmed(
  channel: ConfirmChannel,
  queue: string,
  content: Buffer,
  properties: Parameters<ConfirmChannel['sendToQueue']>[2],
): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.sendToQueue(queue, content, properties, error => {
      if (error) reject(error)
      else resolve()
    })
  })
}

async function before<T>(deadline: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new Error('it takes messages and does not confirm them: an alarm may be on (memory, disk)')),
      Math.max(0, deadline - performance.now()),
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
