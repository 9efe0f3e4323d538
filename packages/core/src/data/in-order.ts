/** Runs `work` for up to `atOnce` items at a time, and gives the results in the order of the items. */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = []
  for (const item of items) {
    const result = work(item)
    result.catch(() => {}) // told in its turn
    running.push(result)
    if (running.length >= atOnce) yield await (running.shift() as Promise<R>)
  }
  while (running.length > 0) yield await (running.shift() as Promise<R>)
}
