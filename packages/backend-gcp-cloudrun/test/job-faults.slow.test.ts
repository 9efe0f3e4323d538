import { batchFaultSuite, twice, withMinio } from '@lithops/fake-clouds/batch-suite'
import { describe, expect } from 'vitest'
import { deployerRole, secretsRole } from '../src/policies.ts'
import { batchCloud } from './batch-cloud.ts'
import { jobPlatform } from './platform.ts'

describe('things of jobs that break, and take their time', () => {
  const there = jobPlatform()

  batchFaultSuite({
    storage: withMinio('job-faults-slow'),
    start: async () => batchCloud(await there.start()),
    open: section => there.open(section),
    newCache: () => there.newCache(),
    words: {
      killed: /killed \(signal 9\)/,
      killedDetails: { exitSignal: 9 },
      unpullable: /CONTAINER_MISSING: Image .*not found.*not in the registry/s,
      unpullableLater: /did not start: Image .*not found.*docker_server/s,
      unstarted: /do not start: they end with exit code 9.*no-such-option/s,
    },
    // a batch has eight variables of 32 KiB
    unlikeCalls: 20,
    startBytes: 300_000,
  })
})

describe('quotas', () => {
  const there = jobPlatform({ quota: { jobs: 2, executions: 1 } })
  const storage = withMinio('job-quotas')

  storage.test('running executions are waited for; jobs are named, with what to do', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open({ max_workers: 1 }))
    await (await fexec.storage()).createBucket()
    const wait = (x: number) => new Promise<number>(done => setTimeout(done, 1_000, x))
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    await using second = storage.open(await there.open({ max_workers: 1 }))
    const first = fexec.callAsync(wait, 1)
    await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(1)
    expect(await second.callAsync(twice, 4, { retries: { infrastructure: 0 } })).toBe(8)
    expect(await first).toBe(1)
    expect(cloud.requests.some(({ action, status }) => action === 'run job' && status === 429)).toBe(true)
    const container = { image: 'somebody/else', resources: { limits: { cpu: '1', memory: '512Mi' } } }
    cloud.putJob('of-somebody', { template: { template: { containers: [container] } } })
    const more = await there.open({ runtime_memory: 1024 })
    await expect(more.deployRuntime(more.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/quota 'jobs'.*lithops clean -b gcp_cloudrun/s),
      details: { quota: 'jobs' },
    })
  })
})

describe('permissions', () => {
  const there = jobPlatform()
  const storage = withMinio('job-permissions')

  storage.test('the roles that are printed for jobs are enough to deploy, run, look and remove', async () => {
    const cloud = await there.start()
    cloud.accounts.permit([...deployerRole('jobs').includedPermissions, ...secretsRole().includedPermissions])
    const backend = await there.open()
    await using fexec = storage.open(backend)
    await (await fexec.storage()).createBucket()
    const future = fexec.callAsync((x: number) => x + 1, 1)
    expect(await future).toBe(2)
    await fexec.logsOf(future)
    expect(await fexec.listRuntimes()).toHaveLength(1)
    await expect.poll(() => cloud.executions, { timeout: 10_000 }).toEqual([])
    await backend.deleteRuntime(backend.defaultRuntime)
    expect(cloud.requests.filter(({ status }) => status === 403)).toEqual([])
    expect([...cloud.jobs, ...cloud.secrets.names]).toEqual([])
  })
})
