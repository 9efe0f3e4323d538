import pLimit from 'p-limit'
const limit = pLimit(2)
export const cases = [
  { name: 'captured limiter', fn: () => Promise.all([1, 2, 3].map(n => limit(async () => n * 2))), expected: [2, 4, 6], warns: /limit/ },
  { name: 'made on the worker', fn: () => pLimit(1)(() => 'done'), expected: 'done' },
]
