import { expect, test } from 'vitest'
import { platformRefusal } from './answers.ts'

const refuse = (status: number, text: string, headers: Record<string, string> = {}) =>
  platformRefusal({ status, headers, body: Buffer.from(text), origin: 'https://s.run.app' }, 's')

test.each([
  [429, 'Rate exceeded.'],
  [429, 'The request was aborted because there was no available instance.'],
  [500, 'The request was aborted because there was no available instance.'],
])('%d %s is throttling: nothing ran, and it costs no retry', (status, text) => {
  expect(refuse(status, text)).toMatchObject({ isThrottled: true, mayHaveRun: false })
})

test.each([
  [
    503,
    'The request failed because either the HTTP response was malformed or connection to the instance had an error.',
    true,
  ],
  [503, 'The service you requested is not available yet.', false],
  [
    503,
    '<html><title>503</title><h1>Error: Server Error</h1><h2>The service you requested is not available yet.</h2>',
    false,
  ],
  [500, 'Internal Server Error', true],
  [504, 'upstream request timeout', true],
])('%d %s may pass, and may have run: %s', (status, text, mayHaveRun) => {
  expect(refuse(status, text)).toMatchObject({ isRetryable: true, isThrottled: false, mayHaveRun })
})

test('what is not allowed is not tried again, and says which role is missing', () => {
  const page =
    '<html><head>\n<title>403 Forbidden</title></head><body><h1>Error: Forbidden</h1><h2>Your client does not have permission to get URL <code>/</code> from this server.</h2></body></html>'
  expect(refuse(403, page)).toMatchObject({
    isRetryable: false,
    message: expect.stringMatching(
      /Your client does not have permission to get URL \/ from.*roles\/run.invoker/,
    ),
  })
  expect(refuse(401, page)).toMatchObject({ isRetryable: true, mayHaveRun: false })
})

test('a time to wait is told on', () => {
  expect(refuse(429, '', { 'retry-after': '3' })?.details).toMatchObject({ retryAfterMs: 3000 })
})

test('what is no answer of the platform is left to the table of all workers', () => {
  expect(refuse(413, '')).toBeUndefined()
})
