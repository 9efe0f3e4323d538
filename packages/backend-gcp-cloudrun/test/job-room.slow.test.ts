import { prefixOf, userKey } from '@lithops/container-runtime'
import { withMinio } from '@lithops/fake-clouds/batch-suite'
import { describe, expect } from 'vitest'
import { CROWDED_JOBS } from '../src/limits.ts'
import { labelsOf } from '../src/names.ts'
import { jobPlatform } from './platform.ts'

const HOUR_MS = 3_600_000
const user = userKey('tester')
const containers = [{ image: 'an/image', resources: { limits: { cpu: '1', memory: '512Mi' } } }]
const template = { template: { containers } }
const ours = (i: number) => `${prefixOf(user)}old-512-${String(i).padStart(10, '0')}`
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('jobs that a region has room for', () => {
  const there = jobPlatform()
  const storage = withMinio('job-room')

  storage.test(
    'before there are too many, those of this user that were not used for long go, and no others',
    async () => {
      const cloud = await there.start()
      await using fexec = storage.open(await there.open())
      await (await fexec.storage()).createBucket()
      const stay = (x: number) => new Promise<number>(done => setTimeout(done, 60_000, x))
      const future = fexec.callAsync(stay, 1)
      await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(1)
      const running = cloud.jobs
      cloud.ageJobs(2 * HOUR_MS)
      for (const i of range(30)) cloud.putJob(ours(i), { template, labels: labelsOf(user) })
      for (const i of range(30)) cloud.secrets.create(`${ours(i)}-keys`, labelsOf(user))
      // names alone are no proof that something is ours
      cloud.putJob(ours(99), { template })
      for (const i of range(CROWDED_JOBS - 40)) cloud.putJob(`of-somebody-${i}`, { template })
      cloud.ageJobs(HOUR_MS)
      const young = range(9).map(i => ours(50 + i))
      for (const name of young) cloud.putJob(name, { template, labels: labelsOf(user) })
      expect(cloud.jobs).toHaveLength(CROWDED_JOBS + 1)
      const before = cloud.jobs
      const backend = await there.open({ runtime_memory: 1024 })
      await backend.deployRuntime(backend.defaultRuntime)
      const gone = before.filter(name => !cloud.jobs.includes(name))
      // down to some less than are many, the one that runs has been passed over
      expect(gone).toHaveLength(21)
      expect(range(30).map(ours)).toEqual(expect.arrayContaining(gone))
      expect(cloud.jobs).toEqual(expect.arrayContaining([...running, ...young, ours(99)]))
      expect(cloud.taskCount).toBe(1)
      const secretsOf = (names: readonly string[]) => names.map(name => `${name}-keys`)
      expect(cloud.secrets.names.filter(name => secretsOf(gone).includes(name))).toEqual([])
      expect(cloud.secrets.names).toEqual(expect.arrayContaining(secretsOf(running)))
      // what is left is room enough: the next one does not remove any
      const next = await there.open({ runtime_memory: 2048 })
      await next.deployRuntime(next.defaultRuntime)
      expect(before.filter(name => !cloud.jobs.includes(name))).toEqual(gone)
      future.cancel()
      await expect.poll(() => cloud.executions, { timeout: 20_000 }).toEqual([])
    },
  )
})
