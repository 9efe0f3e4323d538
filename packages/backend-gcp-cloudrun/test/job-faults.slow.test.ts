import { cloudRunFaults } from '@lithops/fake-clouds/cloudrun'
import { afterEach, describe, expect } from 'vitest'
import { deployerRole, secretsRole } from '../src/policies.ts'
import { jobPlatform, withStorage } from './platform.ts'

const twice = (x: number) => x * 2
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const always = { times: Number.POSITIVE_INFINITY }

describe('things of jobs that break, and take their time', () => {
  const there = jobPlatform()
  const storage = withStorage('job-faults-slow')
  const open = async (section: Record<string, unknown> = {}) => storage.open(await there.open(section))
  afterEach(async () => (await there.start()).clear())

  storage.test(
    'an execution that fails wholly is an error with the reason, within the budget of retries',
    async () => {
      const cloud = await there.start()
      await using fexec = await open()
      await (await fexec.storage()).createBucket()
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const killed = cloud.inject(cloudRunFaults.killInstance(0), { place: 'task', ...always })
      const futures = fexec.map(twice, range(2), { retries: { infrastructure: 1 } })
      expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([undefined, undefined])
      for (const { error } of futures)
        expect(error).toMatchObject({
          code: 'LITHOPS_WORKER_LOST',
          message: expect.stringMatching(/killed \(signal 9\).*tried 2 times/s),
          details: { exitSignal: 9 },
        })
      expect(killed.strikes).toBe(4)
    },
  )

  storage.test(
    'a job, and an execution, that somebody removed are made again, and the calls go on',
    async () => {
      const cloud = await there.start()
      await using fexec = await open()
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      for (const name of cloud.jobs) cloud.removeJob(name)
      expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
      expect(cloud.jobs).toHaveLength(1)
      const wait = (x: number) => new Promise<number>(done => setTimeout(done, 600, x))
      const future = fexec.callAsync(wait, 1)
      await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(1)
      for (const name of cloud.executions) cloud.removeExecution(name)
      expect(await future).toBe(1)
    },
  )

  storage.test(
    'an image that cannot be pulled: the error says so, nothing broken stays, and it is made again',
    async () => {
      const cloud = await there.start()
      await using fexec = await open({ runtime_memory: 1024 })
      const pull = cloud.registry.pull.bind(cloud.registry)
      cloud.registry.pull = () => undefined
      there.newCache()
      await expect(fexec.callAsync(twice, 1).result()).rejects.toMatchObject({
        code: 'LITHOPS_RUNTIME_DEPLOY',
        message: expect.stringMatching(/CONTAINER_MISSING: Image .*not found.*not in the registry/s),
      })
      expect(cloud.jobs.filter(name => name.includes('-1024-'))).toEqual([])
      cloud.registry.pull = pull
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      // it is removed from the registry later: the execution cannot begin
      cloud.registry.pull = () => undefined
      await expect(
        fexec.callAsync(twice, 1, { retries: { infrastructure: 0 } }).result(),
      ).rejects.toMatchObject({
        code: 'LITHOPS_INVOCATION',
        message: expect.stringMatching(/did not start: Image .*not found.*docker_server/s),
      })
      cloud.registry.pull = pull
    },
  )

  storage.test(
    'a worker that does not start is said with what it wrote, and is not left behind',
    async () => {
      const cloud = await there.start()
      const backend = await there.open({
        runtime_memory: 768,
        env_vars: { NODE_OPTIONS: '--no-such-option' },
      })
      await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
        code: 'LITHOPS_RUNTIME_DEPLOY',
        message: expect.stringMatching(/do not start: they end with exit code 9.*no-such-option/s),
      })
      expect(cloud.jobs.filter(name => name.includes('-768-'))).toEqual([])
      expect(cloud.executions).toEqual([])
    },
  )

  storage.test('more calls than max_workers run in slices', async () => {
    const cloud = await there.start()
    cloud.clear()
    await using few = storage.open(await there.open({ max_workers: 4 }))
    expect(await few.getResult(few.map(twice, range(10)))).toEqual(range(10).map(twice))
    expect(cloud.counts['run job']).toBeGreaterThanOrEqual(3)
    expect(cloud.counts['run job']).toBeLessThanOrEqual(7)
  })

  storage.test('what is much alike is packed; what is not is several executions', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open({ max_workers: 20 }))
    cloud.clear()
    // some 20 KB each that no packing makes smaller
    const { randomBytes } = await import('node:crypto')
    const texts = range(20).map(() => randomBytes(15_000).toString('base64'))
    const lengths = await fexec.getResult(fexec.map((text: string) => text.length, texts))
    expect(lengths).toEqual(texts.map(text => text.length))
    const runs = cloud.requests.filter(({ action }) => action === 'run job')
    expect(runs.length).toBeGreaterThan(1)
    for (const { body } of runs) expect(body.length).toBeLessThan(300_000)
  })
})

describe('quotas', () => {
  const there = jobPlatform({ quota: { jobs: 2, executions: 1 } })
  const storage = withStorage('job-quotas')

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
  const storage = withStorage('job-permissions')

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
