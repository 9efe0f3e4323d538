import { expect, test } from 'vitest'
import { compareKeys } from './key-order.ts'

test('orders keys as their UTF-8 bytes do', () => {
  const keys = ['', 'a', 'a/b', 'a-b', 'A', 'é', '\uffee', '😀', '😁', '\ue000', 'a0', 'z', '%', '+', ' ']
  const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  expect([...keys].sort(compareKeys)).toEqual(byBytes)
})
