import { FunctionExecutor } from '@lithops/core'
import { cloudRunFaults } from '@lithops/fake-clouds/cloudrun'
import { describe, expect, test } from 'vitest'
import { platform } from './platform.ts'

const twice = (x: number) => x * 2

async function run(backend: Awaited<ReturnType<ReturnType<typeof platform>['open']>>): Promise<number[]> {
  await using fexec = new FunctionExecutor({ backend })
  return await fexec.getResult(fexec.map(twice, [1, 2, 3]))
}

describe('a project', () => {
  const there = platform({ quota: { cpuMillis: 50_000 } })

  test('the first program builds, pushes and deploys; the second asks nothing but for its token', async () => {
    const cloud = await there.start()
    expect(await run(await there.open())).toEqual([2, 4, 6])
    expect(cloud.counts).toMatchObject({ 'create repository': 1, 'create service': 1 })
    expect(cloud.registry.requests.filter(request => request.startsWith('PUT'))).toHaveLength(1)
    cloud.clear()
    expect(await run(await there.open())).toEqual([2, 4, 6])
    expect(cloud.counts).toEqual({ token: 1 })
    expect(cloud.registry.requests).toEqual([])
  })

  test('a program without what others have found out finds image and service, and needs no tool', async () => {
    const cloud = await there.start()
    cloud.clear()
    there.newCache()
    expect(await run(await there.open({ container_tool: '/no/such/podman' }))).toEqual([2, 4, 6])
    expect(cloud.counts['create service']).toBeUndefined()
    expect(cloud.registry.requests.filter(request => request.startsWith('PUT'))).toEqual([])
  })

  test('services say on purpose what they cost and how many requests they take', async () => {
    const cloud = await there.start()
    const [runtime] = await (await there.open()).listRuntimes()
    expect(runtime).toMatchObject({ name: 'default', memoryMiB: 256 })
    expect(runtime?.workerName).toMatch(/^lithops-ts-tester-[0-9a-f]{4}-default-256-[0-9a-f]{10}$/)
    const { template, labels } = cloud.service(runtime?.workerName ?? '') ?? {}
    expect(labels).toMatchObject({ 'managed-by': 'lithops-typescript' })
    expect(template).toMatchObject({
      maxInstanceRequestConcurrency: 1,
      timeout: '60s',
      scaling: { maxInstanceCount: 100 },
      containers: [
        {
          image: expect.stringMatching(/lithops-ts-tester-\w+-worker@sha256:[0-9a-f]{64}$/),
          resources: { cpuIdle: true, limits: { cpu: '250m', memory: '256Mi' } },
        },
      ],
    })
  })

  test('many programs that deploy at once get one service', async () => {
    const cloud = await there.start()
    const backends = []
    for (let i = 0; i < 4; i++) {
      there.newCache()
      const one = await there.open({ runtime_memory: 300 })
      backends.push(one)
      // each reads its cache when it is first used
      void one.deployRuntime(one.defaultRuntime).catch(() => {})
    }
    const results = await Promise.all(backends.map(one => run(one)))
    expect(results).toEqual(backends.map(() => [2, 4, 6]))
    expect(cloud.services.filter(name => name.includes('-300-'))).toHaveLength(1)
  })

  test('secrets are in Secret Manager, and nowhere else; others than before make a new revision', async () => {
    const cloud = await there.start()
    cloud.clear()
    const backend = await there.open({ runtime_memory: 340 })
    const secret = { storageId: 'minio-1', storageName: 'minio', values: { password: 'very-secret-word' } }
    // who may read it is known later than a slow machine takes to ask for the first time: that is waited for
    cloud.timing.policyMs = 2_500
    await backend.deployRuntime(backend.defaultRuntime, { secrets: [secret] })
    cloud.timing.policyMs = 0
    expect(cloud.counts['create service']).toBeGreaterThan(1)
    expect(await run(backend)).toEqual([2, 4, 6])
    expect(cloud.secrets.text).toContain('very-secret-word')
    const told = cloud.requests.filter(({ body }) => {
      const { data = '' } = /"data":"(?<data>[^"]+)"/.exec(body)?.groups ?? {}
      return Buffer.from(data, 'base64').includes('very-secret-word') || body.includes('very-secret-word')
    })
    expect(told.map(({ action }) => action)).toEqual(['add version'])
    const services = JSON.stringify(cloud.services.map(name => cloud.service(name)))
    for (const text of [services, cloud.logs, cloud.registry.content])
      expect(text).not.toContain('very-secret-word')
    for (const { body } of cloud.activations) expect(body.includes('very-secret-word')).toBe(false)
    // placed already: it is looked at, and nothing is changed
    cloud.clear()
    const again = await there.open({ runtime_memory: 340 })
    await again.deployRuntime(again.defaultRuntime, { secrets: [secret] })
    expect(cloud.counts['add version']).toBeUndefined()
    expect(cloud.counts['update service']).toBeUndefined()
    // what is a while old and used by nothing goes, when another version is current
    cloud.secrets.age(3_600_000)
    await again.deployRuntime(again.defaultRuntime, {
      secrets: [{ ...secret, values: { password: 'other' } }],
    })
    expect(cloud.counts).toMatchObject({ 'add version': 1, 'update service': 1, 'destroy version': 1 })
    expect(cloud.secrets.enabledCount).toBe(1)
    expect(cloud.secrets.text).not.toContain('very-secret-word')
    expect(await run(again)).toEqual([2, 4, 6])
    // two programs with a storage each: both stay
    const programs = [await there.open({ runtime_memory: 340 }), await there.open({ runtime_memory: 340 })]
    await Promise.all(
      programs.map((program, i) =>
        program.deployRuntime(program.defaultRuntime, {
          secrets: [{ storageId: `s-${i}`, storageName: 's', values: { key: `value-${i}` } }],
        }),
      ),
    )
    const last = cloud.secrets.text.split('\n').at(-1)
    for (const word of ['minio-1', 's-0', 's-1']) expect(last).toContain(word)
  })

  test('clean removes all of this user and nothing else', async () => {
    const cloud = await there.start()
    const other = await there.open({ user: 'somebody else' })
    await other.deployRuntime(other.defaultRuntime)
    const theirs = (await other.listRuntimes()).map(({ workerName }) => workerName)
    const backend = await there.open()
    const planned = await backend.clean({ dryRun: true })
    expect(planned.some(name => name.startsWith('secret '))).toBe(true)
    expect(planned.some(name => name.startsWith('images '))).toBe(true)
    expect(cloud.services).toEqual(expect.arrayContaining(planned.filter(name => !name.includes(' '))))
    expect(await backend.clean()).toEqual(planned)
    expect(cloud.services).toEqual(theirs)
    expect(cloud.secrets.names).toEqual([])
    await expect.poll(() => cloud.registry.hasPath(planned.at(-1)?.replace('images ', '') ?? '')).toBe(false)
    expect(await backend.clean()).toEqual([])
    // all that is remembered of it is wrong now, and is found to be so: the image is made again too
    cloud.clear()
    expect(await run(backend)).toEqual([2, 4, 6])
    expect(cloud.registry.requests.filter(request => request.startsWith('PUT'))).toHaveLength(1)
  })

  test('clean removes what was made over a runtime of the user’s own, which stays', async () => {
    const { registry } = await there.start()
    const backend = await there.open()
    await backend.buildRuntime({ name: 'own:1' })
    const code = { name: 'f', hash: '6'.repeat(32), read: async () => Buffer.from('export const f = 1') }
    const { name } = await backend.extendRuntime({ base: 'own:1', functions: [code] })
    await backend.deployRuntime({ name, memoryMiB: 512 })
    const theirs = await there.open({ user: 'somebody else' })
    await theirs.deployRuntime({ name, memoryMiB: 512 })
    const tags = () => registry.tags('oauth2accesstoken/own')
    expect(tags()).toEqual(['1', name.replace(/^.*:/, ''), expect.stringMatching(/^worker-/)])
    await backend.clean()
    // the other user's service stands on the same images
    expect(tags()).toHaveLength(3)
    const planned = await theirs.clean({ dryRun: true })
    expect(planned).toContain(`image ${name}`)
    expect(await theirs.clean()).toEqual(planned)
    await expect.poll(tags).toEqual(['1'])
  })

  test('one runtime is removed with its memory, and what is not there is no error', async () => {
    const backend = await there.open({ runtime_memory: 320 })
    await backend.deployRuntime(backend.defaultRuntime)
    await backend.deployRuntime({ name: 'default', memoryMiB: 330 })
    await backend.deleteRuntime({ name: 'default', memoryMiB: 330 })
    const left = (await backend.listRuntimes()).map(({ memoryMiB }) => memoryMiB)
    expect(left).toContain(320)
    expect(left).not.toContain(330)
    await backend.deleteRuntime({ name: 'default', memoryMiB: 330 })
    // one of several that have the same name and memory
    const [one] = (await backend.listRuntimes()).filter(({ memoryMiB }) => memoryMiB === 320)
    expect(one?.details).toMatchObject({ kind: 'service', image: expect.stringMatching(/^[0-9a-f]{12}$/) })
    const find = async () => (await backend.listRuntimes()).filter(({ memoryMiB }) => memoryMiB === 320)
    await backend.deleteRuntime({ name: 'default', memoryMiB: 320 }, { workerName: 'another' })
    expect(await find()).toHaveLength(1)
    await backend.deleteRuntime({ name: 'default', memoryMiB: 320 }, { workerName: one?.workerName ?? '' })
    expect(await find()).toEqual([])
  })

  test('a worker that does not start is said with what it wrote, and is not left behind', async () => {
    const cloud = await there.start()
    const backend = await there.open({ runtime_memory: 350, env_vars: { NODE_OPTIONS: '--no-such-option' } })
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      details: { reason: 'HEALTH_CHECK_CONTAINER_ERROR' },
      message: expect.stringMatching(/failed to start and listen.*no-such-option is not allowed/s),
    })
    expect(cloud.services.filter(name => name.includes('-350-'))).toEqual([])
  })

  test('memory that does not go with the processors is refused before anything is asked', async () => {
    const cloud = await there.start()
    cloud.clear()
    const backend = await there.open()
    await expect(backend.deployRuntime({ name: 'default', memoryMiB: 2048 })).rejects.toMatchObject({
      code: 'LITHOPS_CONFIG',
      message: expect.stringContaining('1 or more with 2048 MiB'),
    })
    expect(cloud.requests).toEqual([])
  })

  test('an API that is busy for a moment does not matter; one that stays so is told', async () => {
    const cloud = await there.start()
    cloud.clear()
    const backend = await there.open()
    const writes = cloud.inject(cloudRunFaults.rateLimited(), { place: 'api', action: 'create service' })
    await backend.deployRuntime({ name: 'default', memoryMiB: 390 })
    expect(writes.strikes).toBe(1)
    const list = { place: 'api', action: 'list services' } as const
    cloud.inject(cloudRunFaults.rateLimited(), { ...list, times: 2 })
    expect(await backend.listRuntimes()).not.toEqual([])
    const down = cloud.inject(
      cloudRunFaults.answer(
        503,
        '{"error":{"code":503,"message":"The service is currently unavailable.","status":"UNAVAILABLE"}}',
      ),
      {
        ...list,
        times: Number.POSITIVE_INFINITY,
      },
    )
    await expect(backend.listRuntimes()).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      isRetryable: true,
      message: expect.stringContaining('503 UNAVAILABLE: The service is currently unavailable'),
    })
    expect(down.strikes).toBeGreaterThan(2)
    cloud.clear()
  })

  test('a quota is named, with what to do', async () => {
    const cloud = await there.start()
    const backend = await there.open({ max_workers: 300, runtime_memory: 370 })
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      details: { quota: 'CpuAllocPerProjectRegion', requested: '75000', limited: '50000' },
      message: expect.stringMatching(
        /'CpuAllocPerProjectRegion'.*max_workers.*cloud.google.com\/run\/quotas/s,
      ),
    })
    expect(cloud.services.filter(name => name.includes('-370-'))).toEqual([])
  })

  test('a removal that takes a while is waited for where the same is made again at once', async () => {
    const cloud = await there.start()
    cloud.timing.removalMs = 300
    const backend = await there.open({ runtime_memory: 380 })
    await backend.deployRuntime(backend.defaultRuntime)
    const name = cloud.services.find(one => one.includes('-380-')) ?? ''
    cloud.removeService(name)
    there.newCache()
    const other = await there.open({ runtime_memory: 380 })
    expect(await run(other)).toEqual([2, 4, 6])
    expect(cloud.services).toContain(name)
    cloud.timing.removalMs = 0
  })
})
