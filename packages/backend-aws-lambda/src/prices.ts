import type { RunUsage } from '@lithops/core/driver'

interface Prices {
  /** USD per GB-second: first tier, without the free one. */
  readonly x86_64: number
  readonly arm64: number
  /** USD per request. */
  readonly request: number
  /** USD per GB-second of /tmp beyond 512 MB. */
  readonly ephemeral: number
}

const usual = (ephemeral: number): Prices => ({
  x86_64: 0.0000166667,
  arm64: 0.0000133334,
  request: 0.2 / 1e6,
  ephemeral,
})

/**
 * From: https://aws.amazon.com/lambda/pricing/ (its examples: N. Virginia and Ohio), and for all regions the price list behind
 * it, https://calculator.aws/pricing/2.0/meteredUnitMaps/lambda/USD/current/lambda.json, as other projects quote it with its
 * rate codes; looked up in November 2026. Regions that could not be verified are left out: a price that is guessed would be
 * worse than none.
 */
const PRICES: Readonly<Record<string, Prices>> = {
  'us-east-1': usual(0.0000000309),
  'us-east-2': usual(0.0000000309),
  'us-west-1': usual(0.000000037),
  'us-west-2': usual(0.0000000309),
  'ca-central-1': usual(0.000000034),
  'sa-east-1': usual(0.0000000586),
  'eu-west-1': usual(0.000000034),
  'eu-west-2': usual(0.0000000358),
  'eu-west-3': usual(0.0000000358),
  'eu-central-1': usual(0.0000000367),
  'eu-central-2': { x86_64: 0.0000183334, arm64: 0.0000146667, request: 0.22 / 1e6, ephemeral: 0.0000000441 },
  'eu-north-1': usual(0.0000000323),
  'eu-south-1': { x86_64: 0.0000195172, arm64: 0.0000156138, request: 0.23 / 1e6, ephemeral: 0.0000000357 },
  'ap-south-1': usual(0.0000000352),
  'ap-northeast-1': usual(0.000000037),
  'ap-northeast-2': usual(0.0000000352),
  'ap-northeast-3': usual(0.000000037),
  'ap-southeast-1': usual(0.000000037),
  'ap-southeast-2': usual(0.000000037),
  'ap-southeast-4': usual(0.000000037),
  'ap-southeast-5': { x86_64: 0.000015, arm64: 0.000012, request: 0.18 / 1e6, ephemeral: 0.0000000333 },
  'ap-east-1': { x86_64: 0.00002292, arm64: 0.0000183, request: 0.28 / 1e6, ephemeral: 0.0000000407 },
  'af-south-1': { x86_64: 0.0000221, arm64: 0.00001768, request: 0.27 / 1e6, ephemeral: 0.0000000404 },
}

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
