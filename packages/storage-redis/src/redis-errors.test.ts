import { StorageError } from '@lithops/core/driver'
import { expect, test } from 'vitest'
import { translate } from './redis-errors.ts'

const place = { operation: 'get', bucket: 'b', key: 'k', region: 'host:6379' }

test('a node of a cluster that sends elsewhere is refused with what to do', () => {
  for (const message of [
    'MOVED 3999 127.0.0.1:6381',
    'ASK 3999 127.0.0.1:6381',
    'ERR SELECT is not allowed in cluster mode',
  ]) {
    const error = translate(new Error(message), place)
    expect(StorageError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({ isRetryable: false, details: place })
    expect(String(error)).toMatch(/clusters of Redis are not supported.*proxy/)
  }
})
