/** Runs `work` `count` times and returns the wall times as samples; work that answers a number has timed itself. */
export async function wallSamples(count, work) {
  const samples = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    const own = await work(i)
    const wall = performance.now() - start
    samples.push({ wall: typeof own === 'number' ? own : wall })
  }
  return samples
}

export const range = length => Array.from({ length }, (_, i) => i)

export function assertEqual(actual, expected) {
  if (actual !== expected) throw new Error(`wrong result: ${actual} instead of ${expected}`)
}
