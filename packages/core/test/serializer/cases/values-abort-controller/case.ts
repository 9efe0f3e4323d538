const controller = new AbortController()
let live = new AbortController()
live.abort()
live = live

export const cases = [
  { name: 'made anew', fn: () => [controller.signal.aborted, (controller.abort(), controller.signal.aborted)], expected: [false, true], warns: /controller/ },
  { name: 'made on the worker', fn: async () => { const own = new AbortController(); own.abort('why'); return [own.signal.aborted, own.signal.reason] }, expected: [true, 'why'] },
  { name: 'not made anew', fn: () => live.signal.aborted, fails: /live.* cannot be copied because it is an? AbortController/ },
]
