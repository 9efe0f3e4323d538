import { expect, test } from 'vitest'
import { NameAllocator } from './names.ts'

test('gives the wanted name while it is free, and legal ones always', () => {
  const names = new NameAllocator(['Array'], ['const user$1 = 1'])
  expect(names.allocate('user')).toBe('user')
  expect(names.allocate('user')).toBe('user$2') // user$1 stands in the text
  expect(names.allocate('Array')).toBe('Array$1')
  expect(names.allocate('arguments')).toBe('_arguments')
  expect(names.allocate('$h')).toBe('$h$1')
  expect(names.allocate('1st')).toBe('_1st')
})
