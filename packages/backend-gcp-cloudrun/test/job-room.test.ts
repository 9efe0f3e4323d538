import { prefixOf, userKey } from '@lithops/container-runtime'
import { expect, test } from 'vitest'
import { labelsOf } from '../src/names.ts'
import { jobPlatform } from './platform.ts'

const HOUR_MS = 3_600_000
const user = userKey('tester')
const containers = [{ image: 'an/image', resources: { limits: { cpu: '1', memory: '512Mi' } } }]
const template = { template: { containers } }
const ours = (i: number) => `${prefixOf(user)}old-512-${String(i).padStart(10, '0')}`
const there = jobPlatform({ quota: { jobs: 5 } })

// as with a thousand, in job-room.slow.test.ts
test('a job is refused, and made when one of this user has gone that was not used for long', async () => {
  const cloud = await there.start()
  const [old, renamed, young] = [ours(0), ours(1), ours(2)]
  cloud.putJob('of-somebody', { template })
  cloud.putJob(old, { template, labels: labelsOf(user) })
  cloud.secrets.create(`${old}-keys`, labelsOf(user))
  // a name alone is no proof that something is ours
  cloud.putJob(renamed, { template })
  cloud.ageJobs(HOUR_MS)
  cloud.putJob(young, { template, labels: labelsOf(user) })
  cloud.putJob('of-somebody-else', { template })
  const backend = await there.open()
  await backend.deployRuntime(backend.defaultRuntime)
  const made = expect.stringContaining('-default-512-')
  expect(cloud.jobs).toEqual(['of-somebody', renamed, young, 'of-somebody-else', made])
  expect(cloud.secrets.names).toEqual([])
})
