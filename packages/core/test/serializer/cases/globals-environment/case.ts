export const cases = [
  { name: 'process.env is the worker’s', fn: () => process.env.LITHOPS_CORPUS_WORKER, expected: 'yes' },
  { name: 'an object copied before', fn: ((env: any) => () => env.a)({ a: 1 }), expected: 1 },
  { name: 'process.pid', fn: () => process.pid, check: (pid: number) => { if (pid === process.pid) throw new Error('ran in the client') } },
  { name: 'cwd is an empty folder', fn: async () => (await import('node:fs')).readdirSync('.').filter(f => !f.endsWith('.mjs')), expected: [] },
]
