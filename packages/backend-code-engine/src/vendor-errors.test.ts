import { expect, test } from 'vitest'
import { bareError, mayPass, platformError, quotaIn } from './vendor-errors.ts'

const refusal = (status: number, code: string, message: string, headers = {}) =>
  bareError({ status, headers, result: { errors: [{ code, message }], trace: 't-1' }, message }, false)

/** From: https://github.com/lithops-cloud/lithops/issues/536 */
function kubernetes(what: string, resource: string): string {
  return `${what} is forbidden: exceeded quota: 4n0aofskzbm, requested: ${resource}=1, used: ${resource}=10, limited: ${resource}=10`
}

test.each([
  [403, 'quota', 'The project has reached the limit of 100 job runs.', 'job runs'],
  [400, 'limit_exceeded', 'Maximum number of config maps exceeded', 'config maps'],
  [403, 'forbidden', 'You exceeded the maximum number of apps', 'applications'],
  [400, 'x', 'exceeds the quota for memory', 'memory'],
  [400, 'x', 'The limit of active instances was reached', 'instances'],
  // as Kubernetes says it, whose names of things are no matter
  [403, 'forbidden', kubernetes('configmaps "my-job-runs"', 'configmaps'), 'config maps'],
  [403, 'forbidden', kubernetes('jobruns "app"', 'count/jobruns.codeengine.cloud.ibm.com'), 'job runs'],
  [403, 'forbidden', kubernetes('jobs "x"', 'count/jobdefinitions.codeengine.cloud.ibm.com'), 'jobs'],
  [403, 'forbidden', kubernetes('apps "x"', 'count/services.serving.knative.dev'), 'applications'],
  [403, 'forbidden', kubernetes('pods "x"', 'limits.memory'), 'memory'],
  [403, 'forbidden', kubernetes('pods "x"', 'pods'), 'instances'],
  [404, 'resource_not_found', 'Resource not found.', undefined],
  [429, 'rate_limited', 'Slow down.', undefined],
])('%i %s: %s is about %s', (status, code, message, quota) => {
  const error = refusal(status, code, message)
  expect(quotaIn(error)?.quota).toBe(quota)
  expect(platformError(error, 'a step').details).toMatchObject({
    status,
    trace: 't-1',
    ...(quota ? { quota } : {}),
  })
})

test('what may pass is told from what does not', () => {
  expect(mayPass(refusal(429, '', '', { 'retry-after': '3' }))).toBe(true)
  expect(refusal(429, '', '', { 'retry-after': '3' })).toMatchObject({ retryAfterMs: 3000 })
  expect(mayPass(refusal(503, '', ''))).toBe(true)
  expect(mayPass(refusal(403, '', ''))).toBe(false)
  expect(mayPass(bareError({ statusText: 'ECONNRESET', message: 'cut' }, false))).toBe(true)
  expect(mayPass(bareError({ statusText: 'ENOTFOUND', message: 'no such host' }, false))).toBe(false)
})

test("nothing of IBM's own error goes on: it has whole requests", () => {
  const error = platformError(
    bareError(
      { status: 400, result: { errorCode: 'BXNIM0415E', errorMessage: 'no key' }, request: 'apikey=secret' },
      true,
    ),
    'a step',
  )
  expect(error.message).toMatch(/IAM gives no token.*BXNIM0415E: no key/)
  expect(JSON.stringify([error, error.cause, String(error.stack)])).not.toContain('secret')
})
