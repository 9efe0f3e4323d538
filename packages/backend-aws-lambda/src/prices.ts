import type { RunUsage } from '@lithops/core/driver'

/** When the prices below were looked up. */
export const PRICES_OF = '2026-11'

interface Prices {
  /** USD per GB-second: first tier, without the free one. */
  readonly x86_64: number
  readonly arm64: number
  /** USD per request. */
  readonly request: number
  /** USD per GB-second of /tmp beyond 512 MB. */
  readonly ephemeral: number
}

/** From: https://aws.amazon.com/lambda/pricing/ (N. Virginia and Ohio are those that its examples name). */
const US_EAST: Prices = {
  x86_64: 0.0000166667,
  arm64: 0.0000133334,
  request: 0.2 / 1e6,
  ephemeral: 0.0000000309,
}

/** Regions whose prices are known here; a price that is guessed would be worse than none. */
const PRICES: Readonly<Record<string, Prices>> = { 'us-east-1': US_EAST, 'us-east-2': US_EAST }

const FREE_EPHEMERAL_MIB = 512

/** Undefined where the prices of the region are not known. */
export function costUsd(
  region: string,
  { durationMs, memoryMiB, requests }: RunUsage,
  worker: { readonly architecture: 'x86_64' | 'arm64'; readonly ephemeralMiB: number },
): number | undefined {
  const prices = PRICES[region]
  if (prices === undefined) return undefined
  const seconds = durationMs / 1000
  const perSecond =
    (memoryMiB / 1024) * prices[worker.architecture] +
    ((worker.ephemeralMiB - FREE_EPHEMERAL_MIB) / 1024) * prices.ephemeral
  return seconds * perSecond + requests * prices.request
}
