// A paused generator and a module that failed half way both leave a variable in its dead zone.
function* paused() {
  yield () => later + 1
  const later = 5
}
await import('./half-loaded.mjs').catch(() => {})

export const cases = [
  { name: 'local', fn: paused().next().value as () => number, fails: /later.*not initialized yet at the time of the call/s },
  { name: 'of a module', fn: (globalThis as any).corpusHalfLoaded, fails: /lateInModule.*not initialized yet at the time of the call/s },
]
