let pending = Promise.resolve(1)
pending = pending
let list = { jobs: [pending] }
list = list

export const cases = [
  { name: 'direct', fn: () => pending, fails: /pending cannot be copied because it is a Promise \(await it first\)/ },
  { name: 'inside', fn: () => list, fails: /list\.jobs\[0\] cannot be copied because it is a Promise/ },
]
