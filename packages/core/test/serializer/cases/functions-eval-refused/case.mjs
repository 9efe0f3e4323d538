export const cases = [
  {
    name: 'direct',
    fn: () => {
      const y = 1
      return eval('y')
    },
    fails: /eval.*case\.mjs:\d+:\d+/s,
  },
  { name: 'indirect eval is fine', fn: () => (0, eval)('1 + 1'), expected: 2 },
]
