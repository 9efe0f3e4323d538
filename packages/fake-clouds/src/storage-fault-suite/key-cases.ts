import assert from 'node:assert/strict'
import { flawOfKey, type StorageBackend, StorageError } from '@lithops/core/driver'
import { assertSame, keysOf, numbered } from './context.ts'
import type { FaultCase } from './suite.ts'

const HOSTILE = [
  'with space',
  ' ends with space ',
  '100%',
  '%2F%41',
  'a+b',
  'a%2Bb+ c',
  'ünï/漢字/😀',
  'e\u0301',
  'quo\'te"s',
  '<a>&amp;b',
  'q?x=1&y=2#z',
  'back\\slash',
  'semi;colon,at@dollar$',
  'tab\tin',
  'control\u0001in',
]
/** Refused by services that keep keys as paths. */
const NOT_PATHS = ['/leading/slash', '//two', 'a//b', 'x/./y', 'x/../y', '..']
const LONGEST = [
  `${`${'é'.repeat(100)}/`.repeat(5)}${'é'.repeat(9)}x`,
  `${'d/'.repeat(505)}${'é'.repeat(7)}`,
] as const
const ALL = [...HOSTILE, ...NOT_PATHS, ...LONGEST]
const MANY_KEYS = 10_500
const REQUESTS_AT_ONCE = 64

/** Keys of all kinds, and very many of them. */
export const keyCases: readonly FaultCase[] = [
  {
    name: 'hostile keys are kept as they are by every operation',
    timeoutMs: 120_000,
    run: async ({ backend, bucket }) => {
      for (const key of LONGEST) assert.equal(Buffer.byteLength(key), 1024)
      const keys = ALL.filter(key => isPossible(backend, key))
      assert.ok(keys.includes(LONGEST[0]))
      for (const [i, key] of keys.entries()) {
        const bytes = numbered(i + 1)
        await backend.putObject(bucket, key, bytes)
        assertSame(await backend.getObject(bucket, key), bytes, key)
        assert.equal((await backend.headObject(bucket, key)).sizeBytes, i + 1, key)
        await backend.copyObject?.({ bucket, key }, { bucket, key: `copies/${i}` })
        assertSame(await backend.getObject(bucket, `copies/${i}`), bytes, `copy of ${key}`)
        await backend.copyObject?.({ bucket, key: `copies/${i}` }, { bucket, key })
        // a URL with such segments is another URL to whoever opens it
        if (/(^|\/)\.\.?(\/|$)/.test(key)) continue
        const url = await backend.presignUrl?.(bucket, key, { method: 'GET', expiresInMs: 60_000 })
        if (url !== undefined) {
          const response = await fetch(url)
          assertSame(new Uint8Array(await response.arrayBuffer()), bytes, `URL of ${key}`)
        }
      }
      const listed = (await keysOf(backend, bucket)).filter(key => !key.startsWith('copies/'))
      assert.deepEqual(new Set(listed), new Set(keys))
      assert.equal(listed.length, keys.length)
      const half = Math.floor(keys.length / 2)
      await backend.deleteObjects(bucket, keys.slice(0, half))
      for (const key of keys.slice(half)) await backend.deleteObject(bucket, key)
      assert.deepEqual(await keysOf(backend, bucket, ''), await keysOf(backend, bucket, 'copies/'))
    },
  },
  {
    name: 'keys that the service cannot have are refused before they are sent',
    run: async context => {
      const { backend, bucket, proxy } = context
      const { maxKeyBytes, keyLimits: { maxCharacters = maxKeyBytes } = {} } = backend.capabilities
      const impossible = [
        '',
        'nul\0',
        'half \ud800',
        'k'.repeat(Math.min(maxKeyBytes, maxCharacters) + 1),
        'é'.repeat(Math.min(maxKeyBytes / 2, maxCharacters) + 1),
        ...ALL.filter(key => !isPossible(backend, key)),
      ]
      for (const key of impossible) {
        const put = backend.putObject(bucket, key, new Uint8Array(1))
        const expected = { isRetryable: false, code: 'LITHOPS_STORAGE_KEY' }
        await context.rejects(put, StorageError, expected, JSON.stringify(key.slice(0, 20)))
      }
      assert.deepEqual(proxy.requests, [])
    },
  },
  {
    name: 'very many keys are written, listed and removed',
    timeoutMs: 300_000,
    run: async ({ backend, bucket, dialect, proxy, options }) => {
      const { manyKeys = MANY_KEYS } = options
      const keys = Array.from({ length: manyKeys }, (_, i) => `many/${String(i).padStart(5, '0')} +%.txt`)
      const left = keys.values()
      const put = async () => {
        for (const key of left) await backend.putObject(bucket, key, new Uint8Array(1))
      }
      await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, put))
      proxy.clear()
      assert.deepEqual(await keysOf(backend, bucket, 'many/'), keys)
      assert.equal(proxy.requests.length, Math.ceil(manyKeys / dialect.pageKeys), 'requests of a listing')
      const startAfter = keys[manyKeys - 501] as string
      const rest: string[] = []
      for await (const { key } of backend.listObjects(bucket, 'many/', { startAfter })) rest.push(key)
      const { startsListings } = backend.capabilities
      assert.deepEqual(startsListings ? rest : rest.filter(key => key > startAfter), keys.slice(-500))
      await backend.deleteObjects(bucket, keys)
      assert.deepEqual(await keysOf(backend, bucket), [])
    },
  },
]

function isPossible({ capabilities }: StorageBackend, key: string): boolean {
  if (capabilities.keysAreFilePaths === true && NOT_PATHS.includes(key)) return false
  return flawOfKey(key, capabilities.keyLimits) === undefined
}
