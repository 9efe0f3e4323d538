import { hostname } from 'node:os'
import { nodeCrypto } from '../builtins.ts'
import { ObjectNotFoundError } from '../errors/index.ts'
import { clientKey, type InternalStorage } from '../storage/internal-storage.ts'

/** How often a program says that it is there, while it has jobs that others may attach to. */
const RENEW_MS = 5_000
/** A program that has said nothing for so long is gone. */
export const GONE_AFTER_MS = 20_000

/** Call ids from the first to the last. */
export type IdRange = readonly [first: number, last: number]

/** What lies in storage of the program that runs an executor's jobs. */
export interface ClientMarkContent {
  readonly client: string
  readonly host: string
  readonly pid: number
  /** Grows with each renewal, so that a change is seen without comparing clocks. */
  readonly renewal: number
  /** The program has ended in good order and left its jobs to others. */
  readonly isReleased: boolean
  /** Calls that were not sent when this was written, by job; jobs that are missing have sent none. */
  readonly unsent: Readonly<Record<string, readonly IdRange[]>>
}

/**
 * Says in storage that this program runs the jobs of an executor, and which calls it has sent. It is there from before
 * the first activation until the executor's objects are removed: a worker that writes later sees that it is gone.
 */
export class ClientMark {
  readonly #storage: InternalStorage
  readonly #key: string
  readonly #client = nodeCrypto().randomUUID()
  readonly #unsent: () => ClientMarkContent['unsent']
  #renewal = 0
  #written: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(storage: InternalStorage, executorId: string, unsent: () => ClientMarkContent['unsent']) {
    this.#storage = storage
    this.#key = clientKey(executorId)
    this.#unsent = unsent
  }

  get client(): string {
    return this.#client
  }

  /** Resolves when the mark is there. Writes it once. */
  write(): Promise<void> {
    this.#written ??= this.#put(false).catch(error => {
      this.#written = undefined
      throw error
    })
    return this.#written
  }

  /** Writes it again. */
  async renew(): Promise<void> {
    await this.#put(false)
  }

  /** Keeps it fresh from now on. */
  keep(): void {
    this.#timer ??= setInterval(() => void this.#put(false).catch(() => {}), RENEW_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** The jobs are others' from now on. */
  async release(): Promise<void> {
    this.stop()
    await this.#put(true)
  }

  async #put(isReleased: boolean): Promise<void> {
    const content: ClientMarkContent = {
      client: this.#client,
      host: hostname(),
      pid: process.pid,
      renewal: this.#renewal++,
      isReleased,
      unsent: this.#unsent(),
    }
    const bytes = Buffer.from(JSON.stringify(content))
    await (isReleased ? this.#storage.putLast(this.#key, bytes) : this.#storage.put(this.#key, bytes))
  }
}

/** Reads the mark of an executor; undefined when there is none. */
export async function readClientMark(
  storage: InternalStorage,
  executorId: string,
): Promise<ClientMarkContent | undefined> {
  try {
    const bytes = await storage.get(clientKey(executorId))
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as ClientMarkContent
  } catch (error) {
    if (ObjectNotFoundError.isInstance(error)) return undefined
    throw error
  }
}

/** Whether the program of a mark is known to be gone without waiting: it said so, or was one of this machine. */
export function isKnownGone(mark: ClientMarkContent | undefined): boolean {
  if (mark === undefined || mark.isReleased) return true
  if (mark.host !== hostname()) return false
  try {
    process.kill(mark.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Ids as ranges. They must be in order. */
export function rangesOf(ids: Iterable<number>): IdRange[] {
  const ranges: [number, number][] = []
  for (const id of ids) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === id - 1) last[1] = id
    else ranges.push([id, id])
  }
  return ranges
}

export function isInRanges(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(([first, last]) => first <= id && id <= last)
}
