import { expect, test } from 'vitest'
import { inByteOrder } from './listing-order.ts'

const KEYS = [
  'a',
  'a\ue000',
  'a\ue000b',
  'a\uffee',
  'a😀',
  'a😀\ue000',
  'a😀😀',
  'a😀z',
  'b',
  'é',
  '\ue000',
  '😀',
  '😀/a',
]

async function* entriesOf(keys: readonly string[]) {
  for (const key of keys) yield { key }
}

async function ordered(keys: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of inByteOrder(entriesOf(keys))) found.push(key)
  return found
}

const byBytes = KEYS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

test('keys in the order of UTF-16 units come in that of UTF-8 bytes', async () => {
  const byUnits = [...KEYS].sort()
  expect(byUnits).not.toEqual(byBytes)
  expect(await ordered(byUnits)).toEqual(byBytes)
})

test('keys in the order of UTF-8 bytes stay in it', async () => {
  expect(await ordered(byBytes)).toEqual(byBytes)
})

test('keys that need no waiting come at once', async () => {
  async function* endless() {
    for (let i = 0; ; i++) yield { key: `key-${String(i).padStart(9, '0')}é` }
  }
  for await (const { key } of inByteOrder(endless())) {
    expect(key).toBe('key-000000000é')
    break
  }
})
