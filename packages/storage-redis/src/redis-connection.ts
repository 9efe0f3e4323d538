import { Redis, type RedisOptions } from 'ioredis'
import { SCRIPTS, type Script } from './scripts.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** A server that says nothing for so long counts as gone. */
const COMMAND_TIMEOUT_MS = 60_000
const MAX_RECONNECT_PAUSE_MS = 2_000

export type Argument = string | number | Uint8Array
/** What a script answers: bytes, numbers, nothing, and lists of these. */
export type Reply = Buffer | number | null | readonly Reply[]

/**
 * One connection to the server, made by the first command and made again when it breaks. Every command is sent once, as
 * core repeats: one that was under way when the connection broke is an error.
 */
export class RedisConnection {
  readonly client: Redis
  /** The last error of connecting, which tells more than what waiting commands get. */
  #connectError: unknown

  constructor(options: RedisOptions) {
    this.client = new Redis({
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      lazyConnect: true,
      // needs a right to INFO; a server that is loading says so to every command
      enableReadyCheck: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times: number) => Math.min(50 * times, MAX_RECONNECT_PAUSE_MS),
      ...options,
    })
    this.client.on('error', (error: unknown) => {
      this.#connectError = error
    })
    this.client.on('ready', () => {
      this.#connectError = undefined
    })
  }

  /** Runs a script; its text is sent when the server does not know it yet. */
  async run(name: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const { sha, text } = SCRIPTS[name]
    const rest = [keys.length, ...keys, ...args.map(plain)]
    try {
      return await this.command('EVALSHA', sha, ...rest)
    } catch (error) {
      if (!/^NOSCRIPT/.test((error as Error).message)) throw error
      return this.command('EVAL', text, ...rest)
    }
  }

  async command(name: string, ...args: readonly Argument[]): Promise<Reply> {
    try {
      return (await this.client.callBuffer(name, ...args.map(plain))) as Reply
    } catch (error) {
      const isOfConnection = /max retries per request|Connection is closed/i.test((error as Error).message)
      throw isOfConnection && this.#connectError !== undefined ? this.#connectError : error
    }
  }

  /** May be called twice. */
  close(): void {
    this.client.disconnect()
  }
}

function plain(argument: Argument): string | number | Buffer {
  return argument instanceof Uint8Array
    ? Buffer.from(argument.buffer, argument.byteOffset, argument.length)
    : argument
}
