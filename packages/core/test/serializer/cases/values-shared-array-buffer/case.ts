const memory = new SharedArrayBuffer(8)
const counters = new Int32Array(memory)
counters[0] = 5

// Memory cannot be shared between machines; the worker gets a copy of the same kind, or the capture is refused.
export const cases = [
  { name: 'copied', fn: () => [Atomics.add(counters, 0, 1), counters[0], counters.buffer instanceof SharedArrayBuffer], expected: [5, 6, true] },
]
