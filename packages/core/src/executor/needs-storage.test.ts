import { expect, test } from 'vitest'
import { cloudObjectIn, usesContextStorage } from './needs-storage.ts'

type Context = Record<string, never>

const uses: Record<string, Function> = {
  member: (_: number, context: Context) => context.storage,
  optional: (_: number, context?: Context) => context?.storage,
  destructured: (_: number, { storage }: Context) => storage,
  renamed: (_: number, { storage: objects }: Context) => objects,
  later: async (_: number, context: Context) => {
    const { storage } = context
    return storage
  },
  nested: (_: number, context: Context) => [1].map(() => context.storage),
  'a declared function': async function named(_: number, context: Context) {
    return context.storage
  },
  'a method': {
    async method(_: number, context: Context) {
      return context.storage
    },
  }.method,
}

test.each(Object.entries(uses))('%s: takes storage from its context', (_, fn) => {
  expect(usesContextStorage(fn, 1)).toBe(true)
  expect(usesContextStorage(fn, 2)).toBe(false)
})

const others: Record<string, Function> = {
  'storage of the item': (item: Context, _context: Context) => item.storage,
  'a word': (_: number, context: Context) => ['storage', context.callId],
  'another property': (_: number, { signal }: Context) => [signal, 'storage'],
  'native code': Math.max,
  'no context': (storage: number) => storage,
}

test.each(Object.entries(others))('%s: does not', (_, fn) => {
  expect(usesContextStorage(fn, 1)).toBe(false)
})

test('cloud objects are seen as items and in items', () => {
  const found = { type: 'lithops.cloudobject', storage: 'aws_s3', bucket: 'b', key: 'k' }
  expect(cloudObjectIn([1, found])).toBe('aws_s3://b/k')
  expect(cloudObjectIn([{ where: found }])).toBe('aws_s3://b/k')
  expect(cloudObjectIn([1, null, 'x', { a: 1 }, [1]])).toBeUndefined()
})
