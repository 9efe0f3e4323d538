import { createHash } from 'node:crypto'

/** Everything that the function needs when it is loaded is done here, once for each worker. */
const rates = new Map([
  ['books', 1.04],
  ['tools', 1.21],
])

export interface Article {
  readonly kind: string
  readonly price: number
}

/** What `lithops runtime extend` puts into a runtime. The file exports it, and starts no job. */
export function priceOf({ kind, price }: Article): string {
  const total = price * (rates.get(kind) ?? 1)
  const label = createHash('sha256').update(kind).digest('hex').slice(0, 6)
  return `${label}: ${total.toFixed(2)}`
}
