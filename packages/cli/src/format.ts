import type { UsageReport } from '@lithops/core'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** E.g. '812 B', '1.5 GiB'. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** A key as one line: control characters, which could move the cursor of a terminal, as JSON writes them. */
export function formatKey(key: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  return /[\u0000-\u001f\u007f-\u009f]/.test(key)
    ? JSON.stringify(key).replace(
        /[\u007f-\u009f]/g,
        c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : key
}

/** 'object', '3 objects'. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** What platforms bill for calls, as a sentence; empty where no price is known, as on this machine. */
export function formatUsage(usage: UsageReport): string {
  const { requests, billedMs, gibSeconds, isEstimated, coldStarts, costUsd } = usage
  const prices = Object.values(usage.backends).flatMap(({ costUsd: price }) => price ?? [])
  if (prices.length === 0) return ''
  const memory = gibSeconds === undefined ? '' : ` (${gibSeconds.toPrecision(3)} GiB-seconds)`
  const billed = `${isEstimated ? 'about ' : ''}${(billedMs / 1000).toFixed(2)} s${memory} billed`
  const calls = prices.reduce((sum, price) => sum + price, 0)
  const cost =
    costUsd === undefined
      ? `${calls.toPrecision(2)} USD at list prices, without the storage`
      : `${costUsd.toPrecision(2)} USD at list prices`
  return `${countOf(requests, 'request')}, ${billed}, ${countOf(coldStarts, 'cold start')}: ${cost}.`
}
