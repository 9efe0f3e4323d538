/**
 * Runs one step of a platform's API. What it throws goes through `explain`, which says in core's errors what was tried, what
 * the platform said, and what to do; an aborted signal rejects with its reason, whatever the step came to.
 */
export async function runStep<T>(
  act: () => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly explain: (error: unknown) => Error },
): Promise<T> {
  const { signal, explain } = options
  signal?.throwIfAborted()
  try {
    return await act()
  } catch (error) {
    signal?.throwIfAborted()
    throw explain(error)
  }
}

/** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted before. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
