import { batchFaultSuite, range, twice, withMinio } from '@lithops/fake-clouds/batch-suite'
import { codeEngineFaults } from '@lithops/fake-clouds/code-engine'
import { describe, expect, test } from 'vitest'
import { batchCloud, batchFaults, QUICK_FAULTS } from './batch-cloud.ts'
import { cloud } from './cloud.ts'

describe('things that break', () => {
  const there = cloud({ projects: ['there'] })
  const storage = withMinio('faults')
  const open = async (section: Record<string, unknown> = {}) =>
    storage.open(await there.open({ project_name: 'there', ...section }))

  batchFaultSuite(
    {
      storage,
      start: async () => batchCloud(await there.start()),
      open: section => there.open({ project_name: 'there', ...section }),
      newCache: () => there.newCache(),
      ...batchFaults,
    },
    name => QUICK_FAULTS.test(name),
  )

  storage.test(
    'instances that are killed without a word: only they run again, by their indices',
    async () => {
      const cloud = await there.start()
      await using fexec = await open({ max_workers: 12 })
      await (await fexec.storage()).createBucket()
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const killed = cloud.inject(codeEngineFaults.killInstance(50), { every: 3, times: 2 })
      let ended = 0
      const futures = fexec.map(twice, range(8))
      for await (const _ of futures) ended++
      expect(ended).toBe(8)
      expect(await fexec.getResult(futures)).toEqual(range(8).map(twice))
      expect(killed.strikes).toBe(2)
      const [first, ...again] = cloud.runs.map(run => String(run.scale_array_spec))
      expect(first).toBe('0-7')
      expect(again.join().split(/[,-]/)).toHaveLength(2)
    },
  )

  storage.test(
    'an instance that is evicted runs again alone, and without retries the error says so',
    async () => {
      const cloud = await there.start()
      await using fexec = await open({ max_workers: 12 })
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const evicted = cloud.inject(codeEngineFaults.evictInstance(50), { skip: 1 })
      expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
      expect(evicted.strikes).toBe(1)
      const specs = cloud.runs.map(run => String(run.scale_array_spec))
      expect(specs).toEqual(['0-2', expect.stringMatching(/^[0-2]$/)])
      cloud.inject(codeEngineFaults.evictInstance(0))
      await expect(
        fexec.callAsync(twice, 1, { retries: { infrastructure: 0 } }).result(),
      ).rejects.toMatchObject({
        code: 'LITHOPS_WORKER_LOST',
        message: expect.stringMatching(/evicted.* 512 MB/),
        details: { reason: 'Evicted', memoryMiB: 512 },
      })
    },
  )

  storage.test('a call that takes too much memory is told with the memory that it had', async () => {
    const cloud = await there.start()
    await using fexec = await open()
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    cloud.clear()
    const hoard = async () => {
      const kept: Buffer[] = []
      for (;;) {
        kept.push(Buffer.alloc(32 * 1024 * 1024, 1))
        await new Promise(done => setTimeout(done, 5))
      }
    }
    const future = fexec.callAsync(hoard, 0, { retries: { infrastructure: 0 } })
    await expect(future.result()).rejects.toMatchObject({
      code: 'LITHOPS_CALL_OUT_OF_MEMORY',
      message: expect.stringMatching(/OOMKilled.* 512 MB.*runtimeMemoryMiB/),
      details: { reason: 'OOMKilled', memoryMiB: 512 },
    })
  })

  storage.test('a token that expires in the middle of a job is fetched anew', async () => {
    const cloud = await there.start()
    await using fexec = await open()
    const future = fexec.callAsync((x: number) => new Promise<number>(done => setTimeout(done, 800, x)), 1)
    await expect.poll(() => cloud.activeCount, { timeout: 20_000 }).toBe(1)
    const before = cloud.iam.tokenCount
    cloud.expireTokens()
    expect(await future).toBe(1)
    await expect.poll(() => cloud.names('job_runs'), { timeout: 10_000 }).toEqual([])
    expect(cloud.iam.tokenCount).toBe(before + 1)
  })

  storage.test(
    'answers that are lost, 5xx and 429 of any request are asked again, and nothing runs twice',
    async () => {
      const cloud = await there.start()
      await using fexec = await open()
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const instances = cloud.instanceCount
      const faults = [
        cloud.inject(codeEngineFaults.loseAnswer(), { action: 'POST job_runs' }),
        cloud.inject(codeEngineFaults.loseAnswer(), { action: 'POST config_maps' }),
        cloud.inject(codeEngineFaults.answer(503), { action: 'GET job_runs/NAME', times: 2 }),
        cloud.inject(codeEngineFaults.refuse(), { action: 'GET job_runs/NAME', skip: 1 }),
        cloud.inject(codeEngineFaults.tooMany(), { action: 'DELETE job_runs/NAME' }),
      ]
      expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
      await expect.poll(() => cloud.names('job_runs'), { timeout: 10_000 }).toEqual([])
      expect(faults.map(({ strikes }) => strikes)).toEqual([1, 1, 2, 1, 1])
      expect(cloud.instanceCount - instances).toBe(3)
    },
  )

  storage.test(
    'old runs of this user are removed before the quota of job runs is hit, and no others',
    async () => {
      const cloud = await there.start()
      await using fexec = await open()
      const user = await fexec.callAsync((x: number) => [x, process.env.CE_JOBRUN ?? ''] as const, 1)
      const prefix = user[1].replace(/(tester[0-9a-f]{6}-).*/, '$1')
      for (let i = 0; i < 20; i++) cloud.put('job_runs', { name: `of-somebody-${i}`, status: 'completed' })
      for (let i = 0; i < 79; i++)
        cloud.put('job_runs', {
          name: `${prefix}old-run-${String(i).padStart(10, '0')}`,
          status: i % 2 === 0 ? 'completed' : 'failed',
          created_at: new Date(Date.now() - 3_600_000 - i).toISOString(),
        })
      await using second = await open()
      expect(await second.callAsync(twice, 2)).toBe(4)
      expect(cloud.names('job_runs').filter(name => name.startsWith('of-somebody'))).toHaveLength(20)
      await expect.poll(() => cloud.names('job_runs').length).toBeLessThan(80)
    },
  )

  storage.test('a quota that others have used up is named, with what to do', async () => {
    const cloud = await there.start()
    for (let i = cloud.names('job_runs').length; i < 100; i++)
      cloud.put('job_runs', { name: `more-of-somebody-${i}`, status: 'running' })
    for (const name of cloud.names('job_runs'))
      if (/-old-run-/.test(name)) await cloud.remove('job_runs', name)
    for (let i = cloud.names('job_runs').length; i < 100; i++)
      cloud.put('job_runs', { name: `still-more-${i}`, status: 'running' })
    await using fexec = await open()
    await expect(fexec.callAsync(twice, 1).result()).rejects.toMatchObject({
      message: expect.stringMatching(/The quota of job runs is used up: .*keeps 100.*lithops clean/s),
      details: { quota: 'job runs' },
    })
  })
})

describe('what is refused', () => {
  const there = cloud({ deletedProjects: ['gone'], projects: ['there'], isReader: true })

  test('a key that is none, a project that is gone, a right that is missing', async () => {
    const cloud = await there.start()
    const wrong = await there.open({ iam_api_key: 'wrong-key-of-somebody' })
    const error = await wrong.listRuntimes().catch((thrown: Error) => thrown)
    expect(error).toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/IAM gives no token.*BXNIM0415E/s),
    })
    expect(JSON.stringify([error, String((error as Error).cause)])).not.toContain('wrong-key-of-somebody')
    const reader = await there.open({ project_name: 'there' })
    await expect(reader.deployRuntime(reader.defaultRuntime)).rejects.toMatchObject({
      message: expect.stringMatching(/403.*lithops runtime policies -b code_engine/s),
    })
    const unknown = await there.open({ project_id: 'no-such-id' })
    await expect(unknown.deployRuntime(unknown.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_CONFIG',
      message: expect.stringContaining("project_id is 'no-such-id'"),
    })
    expect(cloud.names('jobs')).toEqual([])
    expect(await (await there.open({ project_name: 'not-there' })).clean()).toEqual([])
  })
})

describe('projects', () => {
  const there = cloud({ deletedProjects: ['gone'], timing: { projectMs: 400 } })

  test('are waited for while they are made; one that was deleted lately is said', async () => {
    const cloud = await there.start()
    const section = { project_name: 'new', workload: 'applications' }
    const backends = await Promise.all([there.open(section), there.open(section)])
    await Promise.all(backends.map(one => one.deployRuntime(one.defaultRuntime)))
    expect(cloud.projects).toEqual(['new'])
    expect(cloud.names('apps')).toHaveLength(1)
    const gone = await there.open({ project_name: 'gone' })
    await expect(gone.deployRuntime(gone.defaultRuntime)).rejects.toMatchObject({
      message: expect.stringMatching(/deleted less than seven days ago.*project_name/s),
    })
  })
})
