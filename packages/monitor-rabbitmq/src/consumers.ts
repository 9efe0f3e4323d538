import { MonitorError } from '@lithops/core/driver'
import type { ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib'
import type { BrokerOptions } from './config.ts'
import { Reassembly } from './reassembly.ts'
import { isRefused, monitorError } from './worker/faults.ts'
import { Link } from './worker/link.ts'
import { headOf, type PieceHead, queueOf } from './worker/message.ts'

/** Messages that are on their way to this program unacknowledged. */
const PREFETCH = 256
/** An alarm of the broker (memory, disk) holds up what is published, which is no matter of permissions. */
const PROBE_MS = 2_000
/** A broker that is just restarting is waited for so long to remove queues. */
const CLOSE_MS = 3_000

/** What the consumers tell. */
export interface ConsumerEvents {
  /** Something that a worker published has come, whole and for the first time. */
  readonly deliver: (head: PieceHead, frames: Uint8Array) => void
  readonly lost: () => void
  readonly back: () => void
}

/** The client's channel of one connection. */
interface ClientChannel {
  readonly channel: ConfirmChannel
  /** Why the broker has closed the channel. */
  closedBecause: unknown
  readonly queues: Map<string, Promise<void>>
  /** The last message that is not acknowledged yet. */
  latest: ConsumeMessage | undefined
}

/** The queues of a program's executors, and the consumer of each: they are there again after every loss of the broker. */
export class Consumers {
  readonly #options: BrokerOptions
  readonly #events: ConsumerEvents
  readonly #executors = new Set<string>()
  readonly #reassemblies = new Map<string, Reassembly>()
  readonly #link: Link<ClientChannel>
  #isClosing = false
  /** Once is enough: under an alarm the broker reads nothing more of a connection that publishes, acknowledgements too. */
  #mayPublish = false

  constructor(options: BrokerOptions, events: ConsumerEvents) {
    const { url, server, ca, timeoutMs } = options
    this.#options = options
    this.#events = events
    this.#link = new Link({
      url,
      server,
      ca,
      timeoutMs,
      name: `lithops client ${process.pid}`,
      failsFirst: true,
      restsUnheld: true,
      waitsWhenLost: false,
      setUp: connection => this.#setUp(connection),
      onLost: events.lost,
      onBack: events.back,
    })
  }

  /** Why nobody waits for the broker any more; undefined while there is hope. */
  get lost(): MonitorError | undefined {
    return this.#link.lost
  }

  has(executorId: string): boolean {
    return this.#executors.has(executorId)
  }

  /** The process lives until what this returns is called. */
  hold(): () => void {
    return this.#link.hold()
  }

  /** Resolves when the executor's queue is there and consumed. */
  async of(executorId: string): Promise<void> {
    const release = this.#link.hold()
    try {
      await this.#of(executorId)
    } finally {
      release()
    }
  }

  async #of(executorId: string): Promise<void> {
    for (;;) {
      const current = await this.#link.use()
      this.#executors.add(executorId)
      try {
        return await this.#consume(current, executorId)
      } catch (error) {
        // the connection broke meanwhile: once more when it is back
        if (this.#link.current !== current) continue
        this.#executors.delete(executorId)
        this.#link.renew('a channel was closed')
        if (MonitorError.isInstance(error)) throw error
        throw monitorError(
          `The queue '${queueOf(executorId)}' cannot be made in RabbitMQ`,
          this.#options.server,
          error,
          false,
        )
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#link.hold()
    const current = this.#link.current ?? (await this.#soon())
    for (const executorId of current === undefined ? [] : this.#executors)
      await current?.channel.deleteQueue(queueOf(executorId)).catch(() => {})
    await this.#link.close()
  }

  /** The channel, when there was one and the broker is back in a moment. */
  async #soon(): Promise<ClientChannel | undefined> {
    if (this.#executors.size === 0 || this.#link.lost !== undefined) return undefined
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(() => resolve(undefined), CLOSE_MS)
    })
    const current = await Promise.race([this.#link.use().catch(() => undefined), late])
    clearTimeout(timer)
    return current
  }

  async #setUp(connection: ChannelModel): Promise<ClientChannel> {
    const channel = await connection.createConfirmChannel()
    const current: ClientChannel = { channel, closedBecause: undefined, queues: new Map(), latest: undefined }
    channel.on('error', error => {
      current.closedBecause = error // the operation that it is about rejects
    })
    await channel.prefetch(PREFETCH)
    for (const executorId of this.#executors) await this.#consume(current, executorId)
    return current
  }

  #consume(current: ClientChannel, executorId: string): Promise<void> {
    let ready = current.queues.get(executorId)
    if (ready === undefined) {
      ready = this.#declare(current, executorId)
      current.queues.set(executorId, ready)
    }
    return ready
  }

  async #declare(current: ClientChannel, executorId: string): Promise<void> {
    const { channel } = current
    const queue = queueOf(executorId)
    // Durable: RabbitMQ 4.3 takes no other queue that several connections may use. It goes when nobody consumes it.
    const declared = channel.assertQueue(queue, {
      durable: true,
      expires: this.#options.queueExpiresMs,
      arguments: { 'x-queue-type': 'classic' },
    })
    await this.#permitted(current, 'configure', `queue '${queue}'`, declared)
    const consumed = channel.consume(queue, message => this.#take(current, executorId, message))
    await this.#permitted(current, 'read', `queue '${queue}'`, consumed)
    if (this.#mayPublish) return
    // workers publish as the same user: whether they may is known before a call runs
    await this.#permitted(current, 'write', "exchange 'amq.default'", published(channel))
    this.#mayPublish = true
  }

  /** The broker names what was refused, and not which of the three permissions is missing. */
  async #permitted(
    current: ClientChannel,
    permission: 'configure' | 'read' | 'write',
    what: string,
    done: Promise<unknown>,
  ): Promise<void> {
    try {
      await done
    } catch (error) {
      const cause = current.closedBecause ?? error
      if (!isRefused(cause)) throw error
      throw monitorError(
        `The user of rabbitmq.amqp_url lacks the permission '${permission}' for the ${what}. What it needs: rabbitmqctl ` +
          "set_permissions -p <vhost> <user> '^lithops-.*' '^amq\\.default$' '^lithops-.*'",
        this.#options.server,
        cause,
        false,
      )
    }
  }

  #take(current: ClientChannel, executorId: string, message: ConsumeMessage | null): void {
    if (message === null) {
      // somebody has deleted the queue: what workers publish from now on must find it again
      current.queues.delete(executorId)
      if (!this.#isClosing) this.of(executorId).catch(() => this.#link.renew('a queue was deleted'))
      return
    }
    const head = headOf(message.properties)
    const frames = head === undefined ? undefined : this.#reassemblyOf(executorId).take(head, message.content)
    if (head !== undefined && frames !== undefined) this.#events.deliver(head, frames)
    this.#acknowledge(current, message)
  }

  /** All that came in one turn of the event loop at once. */
  #acknowledge(current: ClientChannel, message: ConsumeMessage): void {
    const isScheduled = current.latest !== undefined
    current.latest = message
    if (isScheduled) return
    setImmediate(() => {
      const { latest } = current
      current.latest = undefined
      try {
        if (latest !== undefined) current.channel.ack(latest, true)
      } catch {
        // the connection is gone: they come again, and are known
      }
    })
  }

  #reassemblyOf(executorId: string): Reassembly {
    let reassembly = this.#reassemblies.get(executorId)
    if (reassembly === undefined) {
      reassembly = new Reassembly()
      this.#reassemblies.set(executorId, reassembly)
    }
    return reassembly
  }
}

/** Publishes to nobody: the broker confirms that it may be done, and drops it. */
function published(channel: ConfirmChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PROBE_MS)
    channel.sendToQueue('lithops-', Buffer.alloc(0), {}, error => {
      clearTimeout(timer)
      if (error) reject(error)
      else resolve()
    })
  })
}
