import { expect, test } from 'vitest'
import { GoogleRequestError, googleError, mayPass } from './vendor-errors.ts'

const answer = (code: number, status: string, message: string, metadata?: object) =>
  new GoogleRequestError(
    code,
    JSON.stringify({
      error: { code, message, status, ...(metadata === undefined ? {} : { details: [{ metadata }] }) },
    }),
  )

test('a quota of requests is named, and passes; one of what there may be is named, and does not', () => {
  const requests = answer(
    429,
    'RESOURCE_EXHAUSTED',
    "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per region' of service 'run.googleapis.com' for consumer 'project_number:1'.",
  )
  expect(googleError(requests, 'making the service s')).toMatchObject({
    isRetryable: true,
    details: { quota: 'Write requests per minute per region' },
  })
  const memory = answer(
    429,
    'RESOURCE_EXHAUSTED',
    'Max instances must be set to 2 or fewer.\n\nQuota violated:\nMemAllocPerProjectRegion requested: 257698037760 allowed: 42949672960',
  )
  expect(mayPass(memory)).toBe(false)
  expect(googleError(memory, 'making the service s')).toMatchObject({
    isRetryable: false,
    details: { quota: 'MemAllocPerProjectRegion', requested: '257698037760', limited: '42949672960' },
    message: expect.stringContaining('https://cloud.google.com/run/quotas'),
  })
})

test('a right that is missing, and an API that is off, are said with what to do', () => {
  const denied = answer(403, 'PERMISSION_DENIED', "Permission 'run.services.get' denied on resource 'x'.")
  expect(googleError(denied, 'looking').message).toMatch(/needs the right run\.services\.get/)
  const off = answer(
    403,
    'PERMISSION_DENIED',
    'Cloud Run Admin API has not been used in project 1 before or it is disabled.',
  )
  expect(googleError(off, 'looking').message).toContain('gcloud services enable run.googleapis.com')
})

test('errors of operations have codes by number, and what broke on the way may pass', () => {
  const failed = Object.assign(new Error('Revision is not ready'), { code: 9 })
  expect(googleError(failed, 'making')).toMatchObject({ details: { reason: 'FAILED_PRECONDITION' } })
  const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  expect(mayPass(broken)).toBe(true)
  expect(googleError(broken, 'looking').message).toContain('cannot be reached (ECONNRESET')
})

test('what is told has nothing of the request in it', () => {
  const { cause } = googleError(
    Object.assign(answer(500, 'INTERNAL', 'sorry'), {
      config: { headers: { authorization: 'Bearer word' } },
    }),
    'looking',
  )
  expect(JSON.stringify(cause, Object.getOwnPropertyNames(cause))).not.toContain('word')
})
