import _ from 'lodash-es'
import { add, chunk } from 'lodash-es'
import debounce from 'lodash-es/debounce.js'
const alias = _.add
const table = { f: chunk }
export const cases = [
  { name: 'default and named', fn: () => [_.add(1, 2), chunk([1, 2, 3], 2), add(2, 2)], expected: [3, [[1, 2], [3]], 4] },
  { name: 'aliases', fn: () => [alias(1, 2), table.f([1, 2], 1).length], expected: [3, 2] },
  { name: 'a subpath', fn: () => typeof debounce(() => 1, 10).cancel, expected: 'function' },
]
