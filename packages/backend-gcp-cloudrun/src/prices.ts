import type { RunUsage } from '@lithops/core/driver'

interface Prices {
  /** USD per processor and second, while requests run. */
  readonly cpu: number
  /** USD per GiB and second, while requests run. */
  readonly memory: number
}

/** What instances of jobs cost, as all that are billed for their whole life, by what those cost that are billed by request. */
const JOB_SHARE = { cpu: 0.000018 / 0.000024, memory: 0.000002 / 0.0000025 } as const
/** USD per request. */
const REQUEST = 0.4 / 1e6
const TIER_1: Prices = { cpu: 0.000024, memory: 0.0000025 }
const TIER_2: Prices = { cpu: 0.0000336, memory: 0.0000035 }

const regions = (prices: Prices, names: string) => names.split(' ').map(name => [name, prices] as const)

/**
 * List prices of request-based billing, without the free tier. From: https://cloud.google.com/run/pricing, as it is known here in
 * November 2026; of the second tier the page was not at hand, and its prices are 1.4 times those of the first. Regions whose tier is not
 * known are left out: a price that is guessed would be worse than none.
 */
const PRICES: ReadonlyMap<string, Prices> = new Map([
  ...regions(
    TIER_1,
    'asia-east1 asia-northeast1 asia-northeast2 europe-north1 europe-southwest1 europe-west1 europe-west4 europe-west8 ' +
      'europe-west9 me-west1 us-central1 us-east1 us-east4 us-east5 us-south1 us-west1',
  ),
  ...regions(
    TIER_2,
    'africa-south1 asia-east2 asia-northeast3 asia-southeast1 asia-southeast2 asia-south2 australia-southeast1 ' +
      'australia-southeast2 europe-central2 europe-west10 europe-west12 europe-west2 europe-west3 europe-west6 me-central1 ' +
      'me-central2 northamerica-northeast1 northamerica-northeast2 southamerica-east1 southamerica-west1 us-west2 us-west3 us-west4',
  ),
])

/**
 * Undefined where the prices of the region are not known.
 *
 * An instance is billed while it has a request, however many: activations that run together in one are counted as if it were full,
 * which is the least that they cost. Tasks of jobs are billed without anything for requests.
 */
export function costUsd(
  region: string,
  { durationMs, memoryMiB, requests }: RunUsage,
  worker: { readonly cpu: number; readonly requestsAtOnce: number; readonly isJob?: boolean },
): number | undefined {
  const prices = PRICES.get(region)
  if (prices === undefined) return undefined
  if (worker.isJob === true)
    return (
      (durationMs / 1000) *
      (worker.cpu * prices.cpu * JOB_SHARE.cpu + (memoryMiB / 1024) * prices.memory * JOB_SHARE.memory)
    )
  const seconds = durationMs / 1000 / worker.requestsAtOnce
  return seconds * (worker.cpu * prices.cpu + (memoryMiB / 1024) * prices.memory) + requests * REQUEST
}
