import { pause } from '@lithops/core/driver'

const TRIES = 4
const PAUSE_MS = 250

export interface StartOnceOptions<Run> {
  readonly start: () => Promise<Run>
  /** Whether it may have begun although `start` was rejected with this. */
  readonly mayHaveBegun: (error: unknown) => boolean
  /** Undefined where it has not. */
  readonly find: () => Promise<Run | undefined>
}

/**
 * Starts something on a platform once, though answers may be lost: what may have begun is looked for before it is started again.
 * Rejects with the last error of `start`, also where it cannot be found out whether it has begun.
 */
export async function startOnce<Run>({ start, mayHaveBegun, find }: StartOnceOptions<Run>): Promise<Run> {
  for (let tries = 1; ; tries++) {
    try {
      return await start()
    } catch (error) {
      if (!mayHaveBegun(error)) throw error
      await pause(PAUSE_MS * tries)
      const found = await find().catch(() => {
        throw error
      })
      if (found !== undefined) return found
      if (tries >= TRIES) throw error
    }
  }
}
