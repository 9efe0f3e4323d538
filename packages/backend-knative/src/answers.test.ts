import { expect, test } from 'vitest'
import { isWithoutRoute, platformRefusal } from './answers.ts'

const refusal = (status: number, text = '', headers: Record<string, string> = {}) =>
  platformRefusal({ status, headers, body: Buffer.from(text), origin: 'http://gateway' }, 'words')

test.each([
  [
    'the queue before a worker is full',
    503,
    'pending request queue full',
    { isThrottled: true, mayHaveRun: false },
  ],
  ['the activator is overloaded', 503, 'activator overload', { isThrottled: true, mayHaveRun: false }],
  ['a gateway has a limit of its own', 429, '', { isThrottled: true, mayHaveRun: false }],
  [
    'the activator has waited in vain',
    503,
    'context deadline exceeded',
    { isThrottled: false, mayHaveRun: false },
  ],
  ['no worker is known', 503, 'no healthy upstream', { isThrottled: false, mayHaveRun: false }],
  [
    'a worker could not be connected to',
    503,
    'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
    { isThrottled: false, mayHaveRun: false },
  ],
  [
    'a worker was lost behind the gateway',
    503,
    'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
    { isThrottled: false, mayHaveRun: true },
  ],
  ['a worker was lost behind its queue', 502, 'EOF', { isThrottled: false, mayHaveRun: true }],
  ['no worker came up in time', 504, 'activator request timeout', { isThrottled: false, mayHaveRun: true }],
  ['there is no route', 404, '', { isThrottled: false, mayHaveRun: false }],
])('%s', (_, status, text, expected) => {
  const error = refusal(status, text)
  expect(error).toMatchObject({ ...expected, isRetryable: true, code: 'LITHOPS_INVOCATION' })
  expect(isWithoutRoute(error)).toBe(status === 404)
})

test('what is not Knative’s is left to others, and the time to wait is kept', () => {
  expect(refusal(500, 'boom')).toBeUndefined()
  expect(refusal(403, 'RBAC: access denied')).toBeUndefined()
  expect(refusal(503, 'queue full', { 'retry-after': '2' })?.details.retryAfterMs).toBe(2000)
})
