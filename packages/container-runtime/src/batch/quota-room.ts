import { type DriverLog, forEachAtOnce } from '@lithops/core/driver'

interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

export interface QuotaRoomOptions<Thing> {
  /** What they are, for the log: 'job runs'. */
  readonly noun: string
  /** From so many on, old ones are removed: fewer than the quota, as other programs may make some at the same time. */
  readonly crowdedFrom: number
  /** So many are left then, so that it need not be done for each new one. */
  readonly leaves: number
  /** Those that were used in the last so many milliseconds stay: other programs of the same user may still need them. */
  readonly spareMs: number
  /** They go too where it is crowded otherwise: somebody may miss them, but nothing that runs. Default: false. */
  readonly takesSpared?: boolean
  readonly removalsAtOnce: number
  /** All that count, also those of others. */
  list(options: CallOptions): Promise<readonly Thing[]>
  nameOf(thing: Thing): string
  /** Whether it is this user's, and over. */
  mayGo(thing: Thing): boolean
  /** When it was made or used last, in milliseconds since 1970. */
  usedMs(thing: Thing): number
  /** Resolves to false where it is in use after all, and stays. */
  remove(thing: Thing, options: CallOptions): Promise<boolean>
  readonly log: Pick<DriverLog, 'debug'>
}

/** Removes what a platform keeps of this user, from what was not used for the longest time on, before a quota is hit. */
export class QuotaRoom<Thing> {
  readonly #options: QuotaRoomOptions<Thing>
  /** Of this program, and in use. */
  readonly #active = new Set<string>()
  /** How many there are, as far as is known. */
  #count: number | undefined

  constructor(options: QuotaRoomOptions<Thing>) {
    this.#options = options
  }

  /** One of that name is about to be made. Looks how many there are the first time, and when they may be many. Rejects with an error of the API. */
  async enter(name: string, options: CallOptions = {}): Promise<void> {
    this.#active.add(name)
    if (this.#count === undefined || this.#count >= this.#options.crowdedFrom) await this.make(options)
    this.#count = (this.#count ?? 0) + 1
  }

  /** It was removed, or was never made. */
  left(name: string): void {
    if (this.#active.delete(name) && this.#count !== undefined) this.#count--
  }

  /** Whether one that is so called is of this program, and in use. */
  isActive(name: string): boolean {
    return this.#active.has(name)
  }

  /**
   * Makes room where it is crowded. What cannot be removed stays. Rejects with an error of the API when they cannot be listed.
   *
   * @param isFull one was refused for want of quota: some must go, however few there seem to be
   * @returns how many were removed
   */
  async make({ isFull = false, signal }: CallOptions & { readonly isFull?: boolean } = {}): Promise<number> {
    const { noun, crowdedFrom, leaves, removalsAtOnce, log } = this.#options
    const all = await this.#options.list({ signal })
    const isCrowded = isFull || all.length >= crowdedFrom
    const wanted = isCrowded ? Math.max(all.length - leaves, isFull ? 1 : 0) : 0
    const old = wanted > 0 ? this.#oldest(all, Math.max(all.length - crowdedFrom + 1, isFull ? 1 : 0)) : []
    let removed = 0
    // the place of what turns out to be in use is taken by the next one
    for (let from = 0; from < old.length && removed < wanted; ) {
      const next = old.slice(from, from + wanted - removed)
      from += next.length
      await forEachAtOnce(next, removalsAtOnce, async thing => {
        if (await this.#remove(thing, signal)) removed++
      })
    }
    if (isCrowded) log.debug(`of ${all.length} ${noun}, ${removed} that were not used for long are removed`)
    this.#count = all.length - removed
    return removed
  }

  /**
   * What of `all` may go, the oldest first.
   *
   * @param needed so many must go: those that are spared otherwise only where there are not enough
   */
  #oldest(all: readonly Thing[], needed: number): readonly Thing[] {
    const { nameOf, mayGo, usedMs, spareMs, takesSpared = false } = this.#options
    const ours = all
      .filter(thing => !this.#active.has(nameOf(thing)) && mayGo(thing))
      .sort((one, other) => usedMs(one) - usedMs(other))
    const oldCount = ours.filter(thing => Date.now() - usedMs(thing) > spareMs).length
    return ours.slice(0, takesSpared ? Math.max(oldCount, needed) : oldCount)
  }

  async #remove(thing: Thing, signal: AbortSignal | undefined): Promise<boolean> {
    const { remove, nameOf, log } = this.#options
    try {
      return await remove(thing, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      log.debug(`${nameOf(thing)} could not be removed: ${(error as Error).message}`)
      return false
    }
  }
}
