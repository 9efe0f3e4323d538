import { loadCapture } from './ours.mjs'

async function loadPulumi() {
  const pulumi = await import('@pulumi/pulumi')
  return fn => pulumi.runtime.serializeFunction(fn)
}

/** `measure(capture, options)` returns the samples; `capture` may be synchronous or not. */
export const captureContenders = measure => [
  { name: 'ours', kind: 'ours', run: async options => measure(await loadCapture(), options) },
  { name: 'Pulumi', kind: 'peer', run: async options => measure(await loadPulumi(), options) },
]

const config = { a: 1, b: [1, 2, 3] }

/** A closure with another closure, a captured number and a captured object. */
export function makeClosure(n) {
  const inner = q => q * n
  return x => inner(x) + config.a
}
