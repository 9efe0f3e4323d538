const cyclic: any = { a: 1 }
cyclic.self = cyclic
cyclic.list = [cyclic, { cyclic }]
const shared = { n: 1 }
const left = { shared }
const right = { shared }

export const cases = [
  { name: 'cycle', fn: () => cyclic.self.list[1].cyclic === cyclic && cyclic.list[0] === cyclic, expected: true },
  { name: 'shared object', fn: () => left.shared === right.shared, expected: true },
  {
    name: 'cycle as argument and result',
    fn: (value: any) => value,
    args: [cyclic],
    check: (result: any) => {
      if (result.self !== result || result.list[1].cyclic !== result) throw new Error('not the same cycle')
    },
  },
]
