/** Names indices as `scale_array_spec` has them: '0-4,7,9-10'. In any order, each once. */
export function formatIndices(indices: Iterable<number>): string {
  const sorted = [...indices].sort((a, b) => a - b)
  const parts: string[] = []
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (sorted[to + 1] === (sorted[to] as number) + 1) to++
    const [first, last] = [sorted[from] as number, sorted[to] as number]
    parts.push(first === last ? `${first}` : `${first}-${last}`)
    from = to + 1
  }
  return parts.join(',')
}

/** Reads what the platform says of indices, such as `failed_indices`; empty for an absent or empty text. */
export function parseIndices(text: string | undefined): number[] {
  const indices: number[] = []
  for (const part of (text ?? '').split(',')) {
    const found = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part)
    if (found === null) continue
    const first = Number(found[1])
    const last = found[2] === undefined ? first : Number(found[2])
    for (let index = first; index <= last; index++) indices.push(index)
  }
  return indices
}
