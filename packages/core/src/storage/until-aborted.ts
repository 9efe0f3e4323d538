/** The same items; rejects with the signal's reason as soon as it is aborted, also while the next item does not come. */
export async function* untilAborted<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted()
  const iterator = items[Symbol.asyncIterator]()
  // one listener for all items: a promise that lives as long as the loop would keep every item's race
  let stop: (reason: unknown) => void = () => {}
  let isWaiting = false
  const onAbort = () => stop(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      isWaiting = true
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        stop = reject
        if (signal.aborted) reject(signal.reason)
        else iterator.next().then(resolve, reject)
      })
      isWaiting = false
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    const left = Promise.resolve(iterator.return?.())
    // an item that does not come would hold it up
    if (isWaiting) left.catch(() => {})
    else await left
  }
}
