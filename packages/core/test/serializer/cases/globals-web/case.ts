export const cases = [
  { name: 'fetch', fn: async () => (await fetch('data:text/plain,hello')).text(), expected: 'hello' },
  { name: 'structuredClone', fn: (x: unknown) => structuredClone(x), args: [{ d: new Date(0) }], expected: { d: new Date(0) } },
  { name: 'setTimeout promise', fn: async () => { const sleep = (ms: number) => new Promise(r => setTimeout(r, ms, 'slept')); return sleep(1) }, expected: 'slept' },
  { name: 'Headers, Blob, atob', fn: async () => [new Headers({ a: '1' }).get('A'), await new Blob(['x']).text(), atob('aGk=')], expected: ['1', 'x', 'hi'] },
  { name: 'streams', fn: async () => { const seen = []; for await (const c of ReadableStream.from([1, 2]) as any) seen.push(c); return seen }, expected: [1, 2] },
  { name: 'crypto', fn: async () => (await crypto.subtle.digest('SHA-1', new Uint8Array(0))).byteLength, expected: 20 },
  { name: 'globals by identity', fn: ((P: any, c: any) => () => [P === Promise, c === console])(Promise, console), expected: [true, true] },
  { name: 'performance, queueMicrotask', fn: () => new Promise(r => queueMicrotask(() => r(typeof performance.now()))), expected: 'number' },
]
