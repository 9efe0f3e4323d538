import { computeConformance } from '@lithops/core/testing'
import { withMinio } from '@lithops/fake-clouds/batch-suite'
import { cloudRunFaults } from '@lithops/fake-clouds/cloudrun'
import { afterEach, describe, expect } from 'vitest'
import { jobPlatform } from './platform.ts'

const there = jobPlatform()
const storage = withMinio('jobs')
const twice = (x: number) => x * 2
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

// The kit, as far as it is another thing than on services: each activation is a new process. All of it is in jobs.slow.test.ts.
const isOfBatches = /several calls|never lets go|exits is recognised/

describe('jobs', () => {
  afterEach(async () => {
    const cloud = await there.start()
    cloud.clear()
    // those of durable jobs, and of backends that a case closed early
    for (const name of cloud.executions) cloud.removeExecution(name)
  })

  storage.test('the first program makes image and job; the second only runs', async () => {
    const cloud = await there.start()
    const backend = await there.open()
    await using fexec = storage.open(backend)
    await (await fexec.storage()).createBucket()
    expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
    // one that asks what workers are, and the map
    expect(cloud.counts).toMatchObject({ 'create job': 1, 'run job': 2 })
    expect(cloud.counts['create service']).toBeUndefined()
    expect(await backend.deployRuntime(backend.defaultRuntime)).toMatchObject({
      nodeVersion: process.version,
      lithopsVersion: '0.1.0',
      arch: process.arch,
    })
    const [runtime] = await backend.listRuntimes()
    expect(runtime).toMatchObject({ name: 'default', memoryMiB: 512 })
    expect(runtime?.workerName).toMatch(/^lithops-ts-tester-[0-9a-f]{4}-default-512-[0-9a-f]{10}$/)
    expect(cloud.job(runtime?.workerName ?? '')?.template?.template).toMatchObject({
      maxRetries: 0,
      timeout: '60s',
      containers: [
        {
          image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/),
          resources: { limits: { cpu: '1', memory: '512Mi' } },
        },
      ],
    })
    await expect.poll(() => cloud.executions, { timeout: 10_000 }).toEqual([])
    cloud.clear()
    await using second = storage.open(await there.open())
    expect(await second.callAsync(twice, 4)).toBe(8)
    expect(cloud.counts).toMatchObject({ 'run job': 1 })
    expect(cloud.counts['create job'] ?? cloud.counts['update job']).toBeUndefined()
    // one of another machine reads at the job what its workers are
    cloud.clear()
    there.newCache()
    await using third = storage.open(await there.open())
    expect(await third.callAsync(twice, 5)).toBe(10)
    expect(cloud.counts).toMatchObject({ 'run job': 1 })
  })

  storage.test('a map is one execution, whose overrides are small', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open({ max_workers: 12 }))
    cloud.clear()
    const futures = fexec.map(twice, range(12))
    expect(await fexec.getResult(futures)).toEqual(range(12).map(twice))
    const [run, ...others] = cloud.requests.filter(({ action }) => action === 'run job')
    expect(others).toEqual([])
    expect(JSON.parse(run?.body ?? '')).toMatchObject({ overrides: { taskCount: 12 } })
    expect(run?.body.length).toBeLessThan(10_000)
    await expect.poll(() => futures[7]?.stats.requestId).toMatch(/^lithops-ts-tester-[a-z0-9-]+\/7$/)
    await expect
      .poll(async () => (await fexec.usageOf(futures)).backends.gcp_cloudrun?.costUsd ?? 0)
      .toBeGreaterThan(0)
  })

  storage.test('secrets are in Secret Manager, and nowhere else', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open())
    cloud.clear()
    const look = () => JSON.stringify([process.env, process.argv])
    const seen = await fexec.callAsync(look, undefined)
    const shown = [
      seen,
      JSON.stringify(cloud.jobs.map(name => cloud.job(name))),
      cloud.executionText,
      cloud.logs,
      cloud.registry.content,
      ...cloud.requests.filter(({ action }) => action !== 'add version').map(({ body }) => body),
    ]
    for (const text of shown) expect(text).not.toContain(storage.secret)
    expect(cloud.secrets.text).toContain(storage.secret)
  })

  storage.test(
    'a version of the secret that a running execution has stays until nothing uses it',
    async () => {
      const cloud = await there.start()
      const backend = await there.open()
      await using fexec = storage.open(backend)
      const wait = (x: number) => new Promise<number>(done => setTimeout(done, 1_500, x))
      const future = fexec.callAsync(wait, 1)
      await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(1)
      cloud.clear()
      cloud.secrets.age(3_600_000)
      const secrets = (password: string) => [{ storageId: 'more', storageName: 's', values: { password } }]
      await backend.deployRuntime(backend.defaultRuntime, { secrets: secrets('one') })
      expect(cloud.counts['destroy version']).toBeUndefined()
      expect(await future).toBe(1)
      await expect.poll(() => cloud.executions, { timeout: 10_000 }).toEqual([])
      cloud.secrets.age(3_600_000)
      await backend.deployRuntime(backend.defaultRuntime, { secrets: secrets('two') })
      expect(cloud.secrets.enabledCount).toBe(1)
    },
  )

  storage.test('where a call ran and what was logged there, by its task', async () => {
    await using fexec = storage.open(await there.open())
    const futures = fexec.map((x: number) => {
      console.log(`a line of call ${x}`)
      return x
    }, range(2))
    expect(await fexec.getResult(futures)).toEqual([0, 1])
    const [first, second] = futures
    if (first === undefined || second === undefined) throw new Error('there are two calls')
    expect(first.logs).toBe('a line of call 0\n')
    await expect.poll(() => fexec.logsOf(second), { timeout: 10_000 }).toContain('a line of call 1')
    expect(await fexec.logsOf(second)).not.toContain('a line of call 0')
    // the lines of one task may come into the log after those of another
    const ofJob = () => fexec.platformLogs({ jobKey: `${first.executorId}-${first.jobId}` })
    await expect.poll(ofJob, { timeout: 10_000 }).toContain('a line of call 0')
    expect(await ofJob()).toContain('a line of call 1')
  })

  storage.test(
    'an execution that nobody waits for any more is cancelled; a durable one goes on',
    async () => {
      const cloud = await there.start()
      const fexec = storage.open(await there.open())
      const stay = (x: number) => new Promise<number>(done => setTimeout(done, 60_000, x))
      const futures = fexec.map(stay, range(2))
      await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(2)
      for (const future of futures) future.cancel()
      await expect.poll(() => [cloud.taskCount, cloud.executions], { timeout: 20_000 }).toEqual([0, []])
      expect(cloud.counts['cancel execution']).toBeGreaterThan(0)
      await fexec.close()
      const leaving = storage.open(await there.open())
      const wait = (x: number) => new Promise<number>(done => setTimeout(done, 1_500, x * 2))
      const job = leaving.map(wait, range(2), { durable: true })
      const jobKey = `${job[0]?.executorId}-${job[0]?.jobId}`
      await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(2)
      await leaving.close()
      expect(cloud.executions).toHaveLength(1)
      await using later = storage.open(await there.open())
      const attached = await later.attach(jobKey)
      expect(await attached.getResult()).toEqual([0, 2])
    },
  )

  computeConformance({
    test: (name, run) => (isOfBatches.test(name) ? storage.test(name, run) : undefined),
    createBackend: () => there.open(),
    get executorOptions() {
      return storage.options
    },
    timing: { callMs: 40_000, timeoutMs: 1_000 },
  })

  storage.test('tasks that are killed without a word: only they run again', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open({ max_workers: 12 }))
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    cloud.clear()
    const killed = cloud.inject(cloudRunFaults.killInstance(50), { place: 'task', every: 3, times: 2 })
    let ended = 0
    const futures = fexec.map(twice, range(8))
    for await (const _ of futures) ended++
    expect(ended).toBe(8)
    expect(await fexec.getResult(futures)).toEqual(range(8).map(twice))
    expect(killed.strikes).toBe(2)
    const counts = cloud.requests
      .filter(({ action }) => action === 'run job')
      .map(({ body }) => (JSON.parse(body) as { overrides: { taskCount: number } }).overrides.taskCount)
    expect(counts[0]).toBe(8)
    expect(counts.slice(1).reduce((sum, count) => sum + count, 0)).toBe(2)
  })

  storage.test(
    'answers that are lost, 5xx and 429 of any request are asked again, and nothing runs twice',
    async () => {
      const cloud = await there.start()
      await using fexec = storage.open(await there.open())
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const started = cloud.startedTasks
      const busy = cloudRunFaults.answer(
        503,
        '{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}',
      )
      const api = { place: 'api' } as const
      const faults = [
        cloud.inject(cloudRunFaults.loseReply(), { ...api, action: 'run job' }),
        cloud.inject(busy, { ...api, action: 'get execution', times: 2 }),
        cloud.inject(cloudRunFaults.refuse(), { ...api, action: 'get execution', skip: 1 }),
        cloud.inject(cloudRunFaults.rateLimited(), { ...api, action: 'list tasks' }),
        cloud.inject(cloudRunFaults.rateLimited(), { ...api, action: 'delete execution' }),
      ]
      expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
      await expect.poll(() => cloud.executions, { timeout: 10_000 }).toEqual([])
      expect(faults.map(({ strikes }) => strikes)).toEqual([1, 2, 1, 1, 1])
      expect(cloud.startedTasks - started).toBe(3)
      // refused before it began: it is begun then
      const refused = cloud.inject(busy, { ...api, action: 'run job' })
      const slowed = cloud.inject(cloudRunFaults.rateLimited(), { ...api, action: 'run job' })
      expect(await fexec.callAsync(twice, 3, { retries: { infrastructure: 0 } })).toBe(6)
      expect([refused.strikes, slowed.strikes]).toEqual([1, 1])
    },
  )

  storage.test('tokens that expire in the middle of a job cost no retry', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open())
    const wait = (x: number) => new Promise<number>(done => setTimeout(done, 800, x))
    const future = fexec.callAsync(wait, 1, { retries: { infrastructure: 0 } })
    await expect.poll(() => cloud.taskCount, { timeout: 20_000 }).toBe(1)
    cloud.accounts.expire()
    expect(await future).toBe(1)
    await expect.poll(() => cloud.executions, { timeout: 10_000 }).toEqual([])
  })

  storage.test('clean removes all of this user, of both workloads, and nothing else', async () => {
    const cloud = await there.start()
    const template = {
      template: {
        containers: [{ image: 'somebody/else', resources: { limits: { cpu: '1', memory: '512Mi' } } }],
      },
    }
    for (const name of ['of-somebody', 'lithops-ts-tester-0000-default-512-0123456789'])
      cloud.putJob(name, { template })
    const services = await there.open({ workload: 'services' })
    await services.deployRuntime(services.defaultRuntime)
    const backend = await there.open()
    const planned = await backend.clean({ dryRun: true })
    expect(planned).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^job lithops-ts-tester/),
        expect.stringMatching(/^lithops-ts-tester/),
        expect.stringMatching(/^secret .*-keys$/),
        expect.stringMatching(/^images /),
      ]),
    )
    expect(cloud.jobs.length).toBeGreaterThan(2)
    expect(await backend.clean()).toEqual(planned)
    expect(await backend.clean()).toEqual([])
    expect(cloud.jobs).toEqual(['of-somebody', 'lithops-ts-tester-0000-default-512-0123456789'])
    expect([...cloud.services, ...cloud.secrets.names, ...cloud.executions]).toEqual([])
  })
})
