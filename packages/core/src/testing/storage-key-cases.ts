import assert from 'node:assert/strict'
import type { ObjectEntry, StorageBackend } from '../driver/storage-backend.ts'
import { flawOfKey } from '../driver/storage-checks.ts'
import { ObjectNotFoundError, StorageError } from '../errors/index.ts'
import { compareKeys } from '../storage/key-order.ts'
import { assertSameBytes, collect, forEachAtOnce, patternBytes, rejectsWith } from './kit.ts'
import type { StorageCase } from './storage-context.ts'

const ODD_KEYS = [
  'a b.txt',
  '100%.txt',
  '%41.txt',
  '%2F',
  'a+b',
  'a%2Bb',
  'é.txt',
  'e\u0301.txt',
  '漢字/かな',
  '😀',
  'q?x=1&y=2#z',
  '"quoted" \'single\'',
  '<tag>&amp;',
  'back\\slash',
  'co:lon*star|pipe',
  'comma,semi;colon=$@!~^`()[]{}',
  'tilde~dash-under_score.dot',
  'con',
  'CON',
  'nul.txt',
  'ends with dot.',
  'ends with space ',
  'UPPER',
  'upper',
  'trailing/',
  'double//slash',
  'x/./y',
  'x/../y',
  '...',
  'nested',
  'nested/below',
  'nested/below/more',
  'nested.txt',
  'nested.txt/below',
]

/** Of these keys, those that the storage can have beside one another: without the parents of others, for one. */
function possible(backend: StorageBackend, all: readonly string[]): string[] {
  const keys = all.filter(key => flawOfKey(`x/${key}`, backend.capabilities.keyLimits) === undefined)
  if (backend.capabilities.keysAreFilePaths !== true) return keys
  const parent = (key: string) => (key.endsWith('/') ? key : `${key}/`)
  const isParent = (key: string) => keys.some(other => other !== key && other.startsWith(parent(key)))
  const isPath = (key: string) =>
    key
      .replace(/\/$/, '')
      .split('/')
      .every(segment => !['', '.', '..'].includes(segment))
  return keys.filter(key => isPath(key) && !isParent(key))
}

/** Keys: removed, listed, odd and long. */
export const keyCases: readonly StorageCase[] = [
  {
    name: 'removes objects, and what is not there without an error',
    run: async context => {
      const { backend, bucket, prefix } = context
      await context.put('one')
      await context.put('two')
      await backend.deleteObject(bucket, `${prefix}one`)
      await backend.deleteObject(bucket, `${prefix}one`)
      await backend.deleteObject(bucket, `${prefix}never/was`)
      await rejectsWith(context.get('one'), ObjectNotFoundError, 'get of a removed object')
      await context.lists(['two'])
    },
  },
  {
    name: 'removes any number of objects at once',
    run: async context => {
      const { backend, bucket, prefix, timing } = context
      await backend.deleteObjects(bucket, [])
      const keys = manyKeys(timing.manyKeys)
      await forEachAtOnce(keys, timing.requestsAtOnce, key => context.put(key))
      await context.put('kept & safe')
      const all = [...keys, 'never was', ...ODD_KEYS]
      await backend.deleteObjects(
        bucket,
        all.map(key => prefix + key),
      )
      await context.lists(['kept & safe'])
    },
  },
  {
    name: 'lists nothing where nothing is',
    run: async context => {
      assert.deepEqual(await context.list(), [])
      assert.deepEqual(await context.list('no/such/prefix'), [])
    },
  },
  {
    name: 'lists all keys of several pages in order',
    run: async context => {
      const keys = manyKeys(context.timing.manyKeys)
      await forEachAtOnce(keys, context.timing.requestsAtOnce, key => context.put(key, new Uint8Array()))
      await context.lists(keys)
    },
  },
  {
    name: 'lists by prefix, and not its siblings',
    run: async context => {
      const all = ['a', 'a-1', 'a/', 'a/1', 'a/1/x', 'a/10', 'a/2', 'a0', 'ab/1', 'b', 'A/1', '1']
      const keys = possible(context.backend, all)
      for (const key of keys) await context.put(key)
      await context.lists(keys)
      for (const prefix of ['a', 'a/', 'a/1', 'a/1/', 'a-', 'b', 'ab', 'c', 'a/1/x', 'a/1/x/']) {
        await context.lists(
          keys.filter(key => key.startsWith(prefix)),
          prefix,
        )
      }
    },
  },
  {
    name: 'lists in the order of UTF-8 bytes',
    run: async context => {
      const keys = possible(context.backend, [
        'z',
        'a',
        'Z',
        'a/b',
        'a-b',
        'a.b',
        'aa',
        'é',
        '\uffee',
        '😀',
        '\u{e000}',
        '+',
        ' x',
        '%',
        '~',
      ])
      for (const key of keys) await context.put(key)
      await context.lists(keys)
    },
  },
  {
    name: 'a listing after a key has every key that follows',
    run: async ({ backend, bucket, prefix }) => {
      const all = ['a', 'a-b', 'a/', 'a/b', 'a/b/c', 'a0', 'b', 'é', '\u{e000}', '😀']
      const keys = possible(backend, all)
      for (const key of keys) await backend.putObject(bucket, prefix + key, patternBytes(1))
      for (const after of [...all, '', 'a/b/', 'a/c', 'aa', 'zz', '\u{10ffff}']) {
        const startAfter = prefix + after
        const found = (await collect(backend.listObjects(bucket, prefix, { startAfter }))).map(
          ({ key }) => key,
        )
        const following = found.filter(key => compareKeys(key, startAfter) > 0)
        const expected = keys.map(key => prefix + key).filter(key => compareKeys(key, startAfter) > 0)
        assert.deepEqual(following, expected, `after ${JSON.stringify(after)}`)
        if (backend.capabilities.startsListings) assert.deepEqual(found, following, 'startsListings')
      }
    },
  },
  {
    name: 'a listing tells sizes, and ETags as head does',
    run: async ({ backend, bucket, prefix }) => {
      for (const length of [0, 10, 2000]) {
        await backend.putObject(bucket, `${prefix}${length}`, patternBytes(length))
      }
      const entries = await collect(backend.listObjects(bucket, prefix))
      const bySize = entries.map((entry: ObjectEntry) => [entry.key.slice(prefix.length), entry.sizeBytes])
      assert.deepEqual(bySize, [
        ['0', 0],
        ['10', 10],
        ['2000', 2000],
      ])
      for (const entry of entries) {
        if (entry.etag === undefined) continue
        assert.equal(entry.etag, (await backend.headObject(bucket, entry.key)).etag, 'ETag')
      }
    },
  },
  {
    name: 'a listing can be left early',
    run: async context => {
      for (const key of ['1', '2', '3']) await context.put(key)
      for await (const entry of context.backend.listObjects(context.bucket, context.prefix)) {
        assert.equal(entry.key, `${context.prefix}1`)
        break
      }
    },
  },
  {
    name: 'keeps odd keys as they are',
    run: async context => {
      const keys = possible(context.backend, ODD_KEYS)
      for (const [i, key] of keys.entries()) await context.put(key, patternBytes(20, i))
      for (const [i, key] of keys.entries()) {
        assertSameBytes(await context.get(key), patternBytes(20, i), `key ${JSON.stringify(key)}`)
      }
      await context.lists(keys)
      for (const key of keys) {
        await context.lists(
          keys.filter(other => other.startsWith(key)),
          key,
        )
        await context.backend.deleteObject(context.bucket, context.prefix + key)
        await rejectsWith(context.get(key), ObjectNotFoundError, `removed key ${JSON.stringify(key)}`)
      }
      await context.lists([])
    },
  },
  {
    name: 'takes keys up to its limit, and refuses longer ones',
    run: async context => {
      const { backend, bucket, prefix } = context
      const { maxKeyBytes, keyLimits } = backend.capabilities
      if (!Number.isFinite(maxKeyBytes)) return
      const fills = backend.capabilities.keysAreFilePaths === true ? ['d/'] : ['k', 'é', '漢', 'd/']
      for (const fill of fills) {
        const exact = longestKey(fill, prefix, backend)
        await context.put(exact)
        assertSameBytes(await context.get(exact), patternBytes(3), 'object with the longest key')
        await context.lists([exact], exact.slice(0, 20))
        await backend.deleteObject(bucket, prefix + exact)
        await rejectsWith(context.put(`${exact}x`), StorageError, 'a key of one byte too many')
      }
      if (keyLimits?.maxSegments !== undefined) {
        const deep = '/d'.repeat(keyLimits.maxSegments)
        await rejectsWith(context.put(`d${deep}`), StorageError, 'a key of too many segments')
      }
      await rejectsWith(backend.putObject(bucket, '', patternBytes(1)), StorageError, 'an empty key')
    },
  },
]

function manyKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `many/${String(i).padStart(6, '0')}`)
}

/** As long as the limits allow, below the prefix: of `fill`, and what is left of 'x'. */
function longestKey(fill: string, prefix: string, { capabilities }: StorageBackend): string {
  const { maxKeyBytes, keyLimits: { maxCharacters = Infinity, maxSegments = Infinity } = {} } = capabilities
  const has = (key: string) =>
    Buffer.byteLength(prefix + key) <= maxKeyBytes && (prefix + key).length <= maxCharacters
  let key = ''
  while (has(key + fill) && `${prefix}${key}${fill}`.split('/').length <= maxSegments) key += fill
  while (has(`${key}x`)) key += 'x'
  return key
}
