import type { StorageRequests } from '@lithops/core/driver'

interface Prices {
  /** USD per 1,000 PUT, COPY, POST, or LIST requests (usage type Requests-Tier1). */
  readonly writes: number
  /** USD per 1,000 GET and all other requests (usage type Requests-Tier2). DELETE is free. */
  readonly reads: number
}

/**
 * S3 Standard, general purpose buckets. From: AWS Price List, `AmazonS3/current/<region>/index.json`, as others quoted it in
 * 2026: us-east-1 on 28 September, eu-west-1 on 6 September, eu-central-1 on 31 August, ap-southeast-3 on 18 September;
 * ap-northeast-1 as its bills name it. Looked up in November 2026. Regions that could not be verified are left out: a
 * price that is guessed would be worse than none.
 */
const PRICES: Readonly<Record<string, Prices>> = {
  'us-east-1': { writes: 0.005, reads: 0.0004 },
  'eu-west-1': { writes: 0.005, reads: 0.0004 },
  'eu-central-1': { writes: 0.0054, reads: 0.00043 },
  'ap-northeast-1': { writes: 0.0047, reads: 0.00037 },
  'ap-southeast-3': { writes: 0.005, reads: 0.0004 },
}

/** Undefined where the prices of the region are not known. */
export function requestsCostUsd(region: string, { writes, reads }: StorageRequests): number | undefined {
  const prices = PRICES[region]
  return prices === undefined ? undefined : (writes * prices.writes + reads * prices.reads) / 1000
}
