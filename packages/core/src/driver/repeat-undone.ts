import { setTimeout as sleep } from 'node:timers/promises'

const ATTEMPTS = 6
const FIRST_PAUSE_MS = 50

/**
 * For writes with `ifAbsent`, which core does not repeat: does one again while the service refuses it without having done
 * anything (throttling), up to six times in all, after pauses that grow and are spread at random. Any other error
 * comes back at once, the reason of an aborted signal too.
 */
export async function repeatUndone<T>(
  work: () => Promise<T>,
  options: { readonly isUndone: (error: unknown) => boolean; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const { isUndone, signal } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isUndone(error) || attempt === ATTEMPTS) throw error
    }
    await sleep(
      Math.random() * FIRST_PAUSE_MS * 2 ** attempt,
      undefined,
      signal === undefined ? {} : { signal },
    )
  }
}
