import type { RunUsage } from '@lithops/core/driver'
import { sizeOf } from './sizes.ts'

interface Prices {
  /** USD per second of one vCPU, and of 1 G of memory, beyond the free ones of each month. */
  readonly cpuSecond: number
  readonly memorySecond: number
  /** USD per request to an application. */
  readonly request: number
}

/**
 * From: https://www.ibm.com/products/code-engine/pricing, for Dallas and Washington, as of November 2026. Regions that could not be
 * verified are left out: a price that is guessed would be worse than none.
 */
const US: Prices = { cpuSecond: 0.00003431, memorySecond: 0.00000356, request: 0.538 / 1e6 }
const PRICES: Readonly<Record<string, Prices>> = { 'us-south': US, 'us-east': US }

const MIB_PER_G = 1024

/** Undefined where the prices of the region are not known, or there is no such instance. */
export function costUsd(
  {
    region,
    cpu,
    isApplication,
  }: { readonly region: string; readonly cpu: number | undefined; readonly isApplication: boolean },
  { durationMs, memoryMiB, requests }: RunUsage,
): number | undefined {
  const prices = PRICES[region]
  const size = sizeOf(memoryMiB, cpu)
  if (prices === undefined || typeof size === 'string') return undefined
  const perSecond = size.cpu * prices.cpuSecond + (memoryMiB / MIB_PER_G) * prices.memorySecond
  return (durationMs / 1000) * perSecond + (isApplication ? requests * prices.request : 0)
}
