import _ from 'lodash'
const { chunk, groupBy: group } = _
const padded = _.partial(_.padStart, _, 5, '0')
const sum = _.sum
export const cases = [
  { name: 'functions', fn: () => [_.chunk([1, 2, 3], 2), chunk([1, 2], 1), group(['a', 'bb'], 'length')], expected: [[[1, 2], [3]], [[1], [2]], { 1: ['a'], 2: ['bb'] }] },
  { name: 'chain', fn: () => _([1, 2, 3]).map(n => n * 2).filter(n => n > 2).value(), expected: [4, 6] },
  { name: 'alias', fn: () => sum([1, 2]), expected: 3 },
  { name: 'a function made by it', fn: (x: string) => padded(x), args: ['42'], expected: '00042', warns: /padded/ },
]
