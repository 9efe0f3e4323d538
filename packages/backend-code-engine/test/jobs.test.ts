import { FunctionExecutor } from '@lithops/core'
import { withMinio } from '@lithops/fake-clouds/batch-suite'
import { describe, expect } from 'vitest'
import { RUN_BYTES } from '../src/limits.ts'
import { cloud } from './cloud.ts'

const there = cloud({ pageSize: 3 })
const storage = withMinio('jobs')
const twice = (x: number) => x * 2
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('jobs', () => {
  storage.test('the first program makes project, image and job; the second only runs', async () => {
    const cloud = await there.start()
    const backend = await there.open()
    await using fexec = storage.open(backend)
    await (await fexec.storage()).createBucket()
    expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
    expect(cloud.projects).toEqual([expect.stringMatching(/^lithops-eu-de-tester[0-9a-f]{6}$/)])
    expect(cloud.counts).toMatchObject({ 'POST projects': 1, 'POST jobs': 1, 'POST job_runs': 2 })
    expect(await backend.deployRuntime(backend.defaultRuntime)).toMatchObject({
      nodeVersion: process.version,
      lithopsVersion: '0.1.0',
      arch: process.arch,
    })
    const [job] = await backend.listRuntimes()
    expect(job).toMatchObject({ name: 'default', memoryMiB: 512 })
    expect(job?.workerName).toMatch(/^lithops-ts-tester[0-9a-f]{6}-default-512-[0-9a-f]{10}$/)
    expect(cloud.text('jobs')).toMatch(/lithops-ts-tester[0-9a-f]{6}-worker@sha256:[0-9a-f]{64}/)
    cloud.clear()
    await using second = storage.open(await there.open())
    expect(await second.callAsync(twice, 4)).toBe(8)
    expect(cloud.counts).toMatchObject({ 'POST job_runs': 1, 'POST config_maps': 1 })
    for (const action of ['POST projects', 'POST jobs', 'GET jobs/NAME'])
      expect(cloud.counts[action]).toBeUndefined()
    await expect.poll(() => [...cloud.names('job_runs'), ...cloud.names('config_maps')]).toEqual([])
  })

  storage.test(
    'a map is one array run, whose request is small, and whose batch is in a config map',
    async () => {
      const cloud = await there.start()
      await using fexec = storage.open(await there.open({ max_workers: 12 }))
      cloud.clear()
      const future = fexec.map(twice, range(12))
      expect(await fexec.getResult(future)).toEqual(range(12).map(twice))
      const [run, ...others] = cloud.runs
      expect(others).toEqual([])
      expect(run).toMatchObject({ scale_array_spec: '0-11', run_volume_mounts: [{ type: 'config_map' }] })
      expect(run).not.toHaveProperty('image_secret')
      expect(JSON.stringify(run).length).toBeLessThan(RUN_BYTES)
      expect(future[7]?.stats.requestId).toBe(`${run?.name}/7`)
      const { costUsd } = await fexec.usageOf(future)
      expect(costUsd).toBeUndefined() // of eu-de the price is not known
    },
  )

  storage.test('more calls than max_workers run in slices, and their indices go on', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open({ max_workers: 4 }))
    cloud.clear()
    expect(await fexec.getResult(fexec.map(twice, range(10)))).toEqual(range(10).map(twice))
    const specs = cloud.runs.map(run => String(run.scale_array_spec))
    expect(specs[0]).toBe('0-3')
    expect(specs.length).toBeLessThanOrEqual(7)
    expect(specs.join()).toMatch(/9$/)
  })

  storage.test('where no monitor is named, results come by way of the storage, large ones too', async () => {
    const backend = await there.open()
    const { config = {} } = storage.options
    await using fexec = new FunctionExecutor({ backend, storage: 'minio', config })
    const long = (length: number) => 'x'.repeat(length)
    const results = await fexec.getResult(fexec.map(long, [3, 200_000]))
    expect(results.map(({ length }) => length)).toEqual([3, 200_000])
    await using direct = new FunctionExecutor({ backend, storage: 'minio', monitoring: 'direct', config })
    await using without = new FunctionExecutor({ backend })
    for (const other of [direct, without])
      await expect(other.callAsync(twice, 1).result()).rejects.toMatchObject({
        code: 'LITHOPS_NO_WAY_HOME',
        message: expect.stringContaining('Name a storage, or a monitor'),
      })
  })

  storage.test('secrets are in secrets, and nowhere else', async () => {
    const cloud = await there.start()
    const backend = await there.open()
    await using fexec = storage.open(backend)
    cloud.clear()
    const look = () => JSON.stringify([process.env, process.argv])
    const seen = await fexec.callAsync(look, undefined)
    const shown = [
      seen,
      cloud.text('jobs'),
      cloud.text('job_runs'),
      cloud.text('config_maps'),
      cloud.logs,
      cloud.registry.content,
      ...cloud.requests.filter(({ action }) => !action.includes('secrets')).map(({ body }) => body),
    ]
    for (const text of shown) {
      expect(text).not.toContain(storage.secret)
      expect(text).not.toContain(cloud.apiKey)
    }
    expect(cloud.text('secrets')).toContain(storage.secret)
  })

  storage.test('a job that somebody removed is made again, and the calls go on', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await there.open())
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    for (const name of cloud.names('jobs')) await cloud.remove('jobs', name)
    expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
    expect(cloud.names('jobs')).toHaveLength(1)
  })

  storage.test('a job that nobody waits for any more is ended; a durable one goes on', async () => {
    const cloud = await there.start()
    const fexec = storage.open(await there.open())
    const stay = (x: number) => new Promise<number>(done => setTimeout(done, 60_000, x))
    const futures = fexec.map(stay, range(2))
    await expect.poll(() => cloud.activeCount, { timeout: 20_000 }).toBe(2)
    for (const future of futures) future.cancel()
    await expect
      .poll(() => [cloud.activeCount, cloud.names('job_runs'), cloud.names('config_maps')], {
        timeout: 20_000,
      })
      .toEqual([0, [], []])
    await fexec.close()
    const leaving = storage.open(await there.open())
    const wait = (x: number) => new Promise<number>(done => setTimeout(done, 1_500, x * 2))
    const job = leaving.map(wait, range(2), { durable: true })
    const jobKey = `${job[0]?.executorId}-${job[0]?.jobId}`
    await expect.poll(() => cloud.activeCount, { timeout: 20_000 }).toBe(2)
    await leaving.close()
    expect(cloud.names('job_runs')).toHaveLength(1)
    await using later = storage.open(await there.open())
    const attached = await later.attach(jobKey)
    expect(await attached.getResult()).toEqual([0, 2])
  })

  storage.test('clean removes all of this user and nothing else, over all pages', async () => {
    const cloud = await there.start()
    for (const kind of ['config_maps', 'secrets'] as const)
      for (let i = 0; i < 5; i++) cloud.put(kind, { name: `of-somebody-${i}` })
    cloud.put('config_maps', { name: 'lithops-ts-tester2-run-0123456789' })
    const theirs = [...cloud.names('config_maps').filter(name => !/tester[0-9a-f]{6}-/.test(name))]
    const backend = await there.open()
    const planned = await backend.clean({ dryRun: true })
    expect(planned).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^job lithops-ts-tester/),
        expect.stringMatching(/^secret .*-keys$/),
        expect.stringMatching(/^image .*\/lithops-ts-tester[0-9a-f]{6}-worker[:@]/),
      ]),
    )
    expect(cloud.names('jobs')).toHaveLength(1)
    expect(await backend.clean()).toEqual(planned)
    expect(await backend.clean()).toEqual([])
    expect([...cloud.names('jobs'), ...cloud.registry.digests]).toEqual([])
    expect(cloud.names('config_maps')).toEqual(theirs)
    expect(cloud.names('secrets')).toEqual(range(5).map(i => `of-somebody-${i}`))
  })

  storage.test('clean removes what was made over a runtime of the user’s own, which stays', async () => {
    const { registry } = await there.start()
    const backend = await there.open()
    await backend.buildRuntime({ name: 'own:1' })
    const functions = [
      { name: 'f', hash: '6'.repeat(32), read: async () => Buffer.from('export const f = 1') },
    ]
    const { name } = await backend.extendRuntime({ base: 'own:1', functions })
    await backend.deployRuntime({ name, memoryMiB: 512 })
    const extended = name.replace(/^.*:/, '')
    expect(registry.tags('own')).toEqual(['1', extended, expect.stringMatching(/^worker-/)])
    await backend.deleteRuntime({ name }, { workerName: 'another' })
    const [listed] = (await backend.listRuntimes()).filter(one => one.name === name)
    expect(listed?.details).toMatchObject({ kind: 'job', image: expect.stringMatching(/^[0-9a-f]{12}$/) })
    await backend.deleteRuntime({ name }, { isReplaced: true, workerName: listed?.workerName ?? '' })
    expect(registry.tags('own')).toEqual(['1', extended])
    await backend.deployRuntime({ name, memoryMiB: 512 })
    const planned = await backend.clean({ dryRun: true })
    expect(planned).toContain(`image ${name}`)
    expect(await backend.clean()).toEqual(planned)
    expect(registry.tags('own')).toEqual(['1'])
  })
})
