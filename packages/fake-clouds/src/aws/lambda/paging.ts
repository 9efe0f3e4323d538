import { constraint } from './names.ts'

const MAX_ITEMS = 50

/** One page of Lambda's lists: `Marker` is where it begins, `MaxItems` how long it is. Never more than 50. */
export function page<T>(
  all: readonly T[],
  query: URLSearchParams,
): { readonly items: readonly T[]; readonly next: string | undefined } {
  const asked = Number(query.get('MaxItems') ?? MAX_ITEMS)
  if (!(asked >= 1)) throw constraint(asked, 'maxItems', 'Member must have value greater than or equal to 1')
  const count = Math.min(asked, MAX_ITEMS)
  const marker = query.get('Marker')
  const start = marker === null ? 0 : Number(Buffer.from(marker, 'base64').toString())
  const end = start + count
  const next = end < all.length ? Buffer.from(String(end)).toString('base64') : undefined
  return { items: all.slice(start, end), next }
}
