import type { CallHandle } from '../future/call-handle.ts'
import type { Call } from '../job/call.ts'
import type { Job } from '../job/job.ts'

interface UnreadJob {
  readonly futures: readonly CallHandle<unknown>[]
  left: number
}

/**
 * The futures whose outcome the program has not read: what `wait()` and `getResult()` mean without arguments. A job is
 * let go when the last of its futures has been read, so that an executor that runs for days keeps nothing of them.
 */
export class UnreadFutures {
  readonly #jobs = new Map<Job, UnreadJob>()

  add(futures: readonly CallHandle<unknown>[]): void {
    const job = futures[0]?.call.job
    if (job !== undefined) this.#jobs.set(job, { futures, left: futures.length })
  }

  markRead(call: Call): void {
    if (call.isRead) return
    call.isRead = true
    const unread = this.#jobs.get(call.job)
    if (unread !== undefined && --unread.left === 0) this.#jobs.delete(call.job)
  }

  /** In the order in which the jobs were made. */
  all(): CallHandle<unknown>[] {
    return [...this.#jobs.values()].flatMap(({ futures }) => futures.filter(({ call }) => !call.isRead))
  }

  clear(): void {
    this.#jobs.clear()
  }
}
