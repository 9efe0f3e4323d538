/** Jobs whose numbers are remembered: the others begin at 0 again, which does no harm. */
const KEPT_JOBS = 64

interface JobNumbers {
  next: number
  /** By their calls: activations that have not ended well. */
  readonly indices: Map<string, number>
}

/**
 * Which index of its job's array an activation is. One that is sent again has the index that it had, so that only failed indices
 * are run again, and logs of the platform tell which they were.
 */
export class JobIndices {
  readonly #largest: number
  readonly #jobs = new Map<string, JobNumbers>()

  /** @param largest after which they begin at 0 again */
  constructor(largest: number) {
    this.#largest = largest
  }

  of(jobKey: string, callIds: readonly number[]): number {
    let numbers = this.#jobs.get(jobKey)
    if (numbers === undefined) numbers = { next: 0, indices: new Map() }
    else this.#jobs.delete(jobKey)
    this.#jobs.set(jobKey, numbers)
    const [oldest] = this.#jobs.keys()
    if (this.#jobs.size > KEPT_JOBS && oldest !== undefined) this.#jobs.delete(oldest)
    const key = keyOf(callIds)
    let index = numbers.indices.get(key)
    if (index === undefined) {
      index = numbers.next
      numbers.next = index >= this.#largest ? 0 : index + 1
      numbers.indices.set(key, index)
    }
    return index
  }

  /** It has ended well: it is not sent again. */
  ended(jobKey: string, callIds: readonly number[]): void {
    this.#jobs.get(jobKey)?.indices.delete(keyOf(callIds))
  }
}

/** A call is in one activation at a time. */
function keyOf(callIds: readonly number[]): string {
  return `${callIds[0]}+${callIds.length}`
}
