let watched = new Proxy({ a: 1 }, {})
watched = watched
let holder = { deep: [watched] }
holder = holder

export const cases = [
  { name: 'direct', fn: () => watched.a, fails: /watched cannot be copied because it is a Proxy/ },
  { name: 'inside', fn: () => holder, fails: /holder\.deep\[0\] cannot be copied because it is a Proxy/ },
]
