import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { knativeFaults } from '@lithops/fake-clouds/knative'
import { describe, expect, test } from 'vitest'
import { cluster } from './cluster.ts'

const twice = (x: number) => x * 2

async function run(backend: Awaited<ReturnType<ReturnType<typeof cluster>['open']>>): Promise<number[]> {
  await using fexec = new FunctionExecutor({ backend })
  return await fexec.getResult(fexec.map(twice, [1, 2, 3]))
}

describe('a cluster', () => {
  const there = cluster()

  test('the first program builds, pushes and deploys; the second asks nothing of the cluster', async () => {
    const knative = await there.start()
    expect(await run(await there.open())).toEqual([2, 4, 6])
    expect(knative.counts).toMatchObject({ 'create ksvc': 1 })
    expect(knative.registry.requests.filter(request => request.startsWith('PUT'))).toHaveLength(1)
    knative.clear()
    knative.registry.requests.length = 0
    expect(await run(await there.open())).toEqual([2, 4, 6])
    expect(knative.counts).toEqual({})
    expect(knative.registry.requests).toEqual([])
  })

  test('a program without what others have found out finds image and service, and needs no tool', async () => {
    const knative = await there.start()
    knative.clear()
    knative.registry.requests.length = 0
    there.newCache()
    expect(await run(await there.open({ container_tool: '/no/such/podman' }))).toEqual([2, 4, 6])
    expect(knative.counts['create ksvc']).toBeUndefined()
    expect(knative.registry.requests.filter(request => request.startsWith('PUT'))).toEqual([])
  })

  test('services name their image by digest, and tell what they are', async () => {
    const knative = await there.start()
    const text = knative.text('services')
    expect(text).toMatch(/lithops-ts-tester-[0-9a-f]{4}-worker@sha256:[0-9a-f]{64}/)
    const [runtime] = await (await there.open()).listRuntimes()
    expect(runtime).toMatchObject({ name: 'default', memoryMiB: 512 })
    expect(runtime?.workerName).toMatch(/^lithops-ts-tester-[0-9a-f]{4}-default-512-[0-9a-f]{10}$/)
  })

  test('many programs that deploy at once get one service', async () => {
    const knative = await there.start()
    knative.clear()
    const backends = []
    for (let i = 0; i < 5; i++) {
      there.newCache()
      const one = await there.open({ runtime_memory: 300 })
      backends.push(one)
      // each reads its cache when it is first used
      void one.deployRuntime(one.defaultRuntime).catch(() => {})
    }
    const results = await Promise.all(backends.map(one => run(one)))
    expect(results).toEqual(backends.map(() => [2, 4, 6]))
    expect(knative.names('services').filter(name => name.includes('-300-'))).toHaveLength(1)
  })

  test('secrets are in a Secret, and nowhere else; others than before make a new revision', async () => {
    const knative = await there.start()
    knative.clear()
    const backend = await there.open({ runtime_memory: 340 })
    const secret = { storageId: 'minio-1', storageName: 'minio', values: { password: 'very-secret-word' } }
    await backend.deployRuntime(backend.defaultRuntime, { secrets: [secret] })
    expect(await run(backend)).toEqual([2, 4, 6])
    const told = knative.requests.filter(({ body }) =>
      Buffer.from(body.replace(/^.*"LITHOPS_SECRETS":"([^"]*)".*$/s, '$1'), 'base64').includes(
        'very-secret-word',
      ),
    )
    expect(told.map(({ action }) => action)).toEqual(['create secrets'])
    for (const text of [
      knative.text('services'),
      knative.text('pods'),
      knative.logs,
      knative.registry.content,
    ])
      expect(text).not.toContain('very-secret-word')
    for (const { body } of knative.activations) expect(body.includes('very-secret-word')).toBe(false)
    // placed already: it is looked at, and nothing is changed
    knative.clear()
    const again = await there.open({ runtime_memory: 340 })
    await again.deployRuntime(again.defaultRuntime, { secrets: [secret] })
    expect(knative.counts['update ksvc']).toBeUndefined()
    await again.deployRuntime(again.defaultRuntime, {
      secrets: [{ ...secret, values: { password: 'other' } }],
    })
    expect(knative.counts).toMatchObject({ 'update secrets': 1 })
    // more where the cluster has changed the service in the meantime
    expect(knative.counts['update ksvc']).toBeGreaterThanOrEqual(1)
    expect(await run(again)).toEqual([2, 4, 6])
    // two programs with a storage each: both stay
    const [one, two] = [await there.open({ runtime_memory: 340 }), await there.open({ runtime_memory: 340 })]
    await Promise.all(
      [one, two].map((program, i) =>
        program.deployRuntime(program.defaultRuntime, {
          secrets: [{ storageId: `s-${i}`, storageName: 's', values: { key: `value-${i}` } }],
        }),
      ),
    )
    const placed = /"LITHOPS_SECRETS":"([^"]+)"/.exec(knative.text('secrets'))?.[1] ?? ''
    for (const word of ['minio-1', 's-0', 's-1'])
      expect(Buffer.from(placed, 'base64').toString('utf8')).toContain(word)
  })

  test('a cluster has configuration, revisions and route of a service, as long as it is there', async () => {
    const knative = await there.start()
    const backend = await there.open({ runtime_memory: 345 })
    const secret = { storageId: 's', storageName: 's', values: { password: 'one' } }
    await backend.deployRuntime(backend.defaultRuntime, { secrets: [secret] })
    await backend.deployRuntime(backend.defaultRuntime, {
      secrets: [{ ...secret, values: { password: 'two' } }],
    })
    const listed = (await backend.listRuntimes()).find(({ memoryMiB }) => memoryMiB === 345)
    const name = listed?.workerName ?? ''
    type Made = { metadata: { name: string; uid: string; labels: object }; status: object }
    const objects = (kind: 'configurations' | 'revisions' | 'routes') =>
      (JSON.parse(knative.text(kind)) as Made[]).filter(({ metadata }) => metadata.name.startsWith(name))
    const ready = { conditions: expect.arrayContaining([{ type: 'Ready', status: 'True' }]) }
    const [configuration] = objects('configurations')
    expect(configuration).toMatchObject({
      metadata: { name, ownerReferences: [{ kind: 'Service', name, controller: true }] },
      status: { ...ready, latestReadyRevisionName: `${name}-00002` },
    })
    expect(objects('routes')).toMatchObject([
      {
        metadata: { name, ownerReferences: [{ kind: 'Service', name }] },
        status: { ...ready, traffic: [{ percent: 100, revisionName: `${name}-00002` }] },
      },
    ])
    expect(objects('revisions')).toMatchObject(
      ['1', '2'].map(generation => ({
        metadata: {
          name: `${name}-0000${generation}`,
          labels: {
            'serving.knative.dev/service': name,
            'serving.knative.dev/configuration': name,
            'serving.knative.dev/configurationGeneration': generation,
          },
          ownerReferences: [{ kind: 'Configuration', name, uid: configuration?.metadata.uid }],
        },
        status: ready,
      })),
    )
    await backend.deleteRuntime({ name: 'default', memoryMiB: 345 })
    for (const kind of ['configurations', 'revisions', 'routes'] as const) expect(objects(kind)).toEqual([])
  })

  test('clean removes all of this user and nothing else', async () => {
    const knative = await there.start()
    const other = await there.open({ user: 'somebody else' })
    await other.deployRuntime(other.defaultRuntime)
    const theirs = (await other.listRuntimes()).map(({ workerName }) => workerName)
    const backend = await there.open()
    const planned = await backend.clean({ dryRun: true })
    expect(planned.length).toBeGreaterThan(3)
    expect(knative.names('services')).toEqual(
      expect.arrayContaining(planned.filter(name => !name.includes(' '))),
    )
    expect(await backend.clean()).toEqual(planned)
    expect(knative.names('services')).toEqual(theirs)
    expect(knative.names('secrets')).toEqual([])
    expect(knative.names('pods').every(name => theirs.some(one => name.startsWith(one)))).toBe(true)
    expect(await backend.clean()).toEqual([])
    // images of the other user are there, and none of this one
    expect(planned.filter(name => name.startsWith('image ')).length).toBeGreaterThan(0)
    expect(knative.registry.digests).toHaveLength(1)
    await other.clean()
    expect([...knative.names('services'), ...knative.names('pods'), ...knative.registry.digests]).toEqual([])
    expect(await run(await there.open())).toEqual([2, 4, 6])
  })

  test('clean removes images of runtimes with a worker, and what the user has built stays', async () => {
    const knative = await there.start()
    await (await there.open()).clean()
    const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-own-'))
    const dockerfile = path.join(folder, 'Dockerfile')
    writeFileSync(dockerfile, 'FROM docker.io/library/node:24-bookworm-slim\nENV WORD=own\n')
    const own = { runtime: 'own:1', runtime_memory: 310 }
    const backend = await there.open(own)
    await backend.buildRuntime({ name: 'own:1', file: dockerfile })
    rmSync(folder, { recursive: true })
    expect(await run(backend)).toEqual([2, 4, 6])
    expect(knative.registry.tags('own')).toEqual(['1', expect.stringMatching(/^worker-/)])
    const theirs = await there.open({ ...own, user: 'somebody else' })
    await theirs.deployRuntime(theirs.defaultRuntime)
    await backend.clean()
    // the other user's service stands on the same image
    expect(knative.registry.tags('own')).toHaveLength(2)
    await theirs.deleteRuntime(theirs.defaultRuntime)
    expect(knative.registry.tags('own')).toEqual(['1'])
  })

  test('a registry that removes nothing is named, and the cluster is cleaned', async () => {
    const knative = await there.start()
    const backend = await there.open({ runtime_memory: 320 })
    await backend.deployRuntime(backend.defaultRuntime)
    knative.registry.isUnremovable = true
    const removed = await backend.clean()
    knative.registry.isUnremovable = false
    expect(removed.filter(name => name.startsWith('image '))).toEqual([])
    expect(there.warnings).toEqual([
      expect.stringMatching(/^Images stay in the registry 127\.0\.0\.1:\d+, .*answered 405/),
    ])
    expect(knative.names('services')).toEqual([])
    expect((await backend.clean()).length).toBeGreaterThan(0)
    expect(await backend.clean()).toEqual([])
  })

  test('an image that the cluster cannot pull is said in its own words, and nothing broken stays', async () => {
    const knative = await there.start()
    const backend = await there.open({ runtime_memory: 350 })
    await backend.deployRuntime(backend.defaultRuntime)
    await backend.clean()
    there.newCache()
    // the tag is there, and what it stands for is not
    const lost = await there.open({ runtime_memory: 351 })
    const take = knative.registry.pull.bind(knative.registry)
    knative.registry.pull = () => undefined
    await expect(lost.deployRuntime(lost.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/ImagePullBackOff: .*not found.*can it reach the registry/s),
    })
    knative.registry.pull = take
    expect(knative.names('services')).toEqual([])
    expect(await run(await there.open({ runtime_memory: 351 }))).toEqual([2, 4, 6])
    knative.clear()
  })

  test('an image that is gone from the registry is made again', async () => {
    const knative = await there.start()
    const backend = await there.open({ runtime_memory: 365 })
    await backend.deployRuntime(backend.defaultRuntime)
    await backend.clean()
    for (const digest of knative.registry.digests) knative.registry.remove(digest)
    expect(await run(await there.open({ runtime_memory: 365 }))).toEqual([2, 4, 6])
  })

  test('a cluster that is busy, or breaks connections, is asked again', async () => {
    const knative = await there.start()
    const busy = knative.inject(knativeFaults.answer(503, '{"reason":"ServiceUnavailable"}'), {
      place: 'api',
      every: 3,
      times: 6,
    })
    const broken = knative.inject(knativeFaults.refuse(), { place: 'api', every: 4, times: 3 })
    expect(await run(await there.open({ runtime_memory: 370 }))).toEqual([2, 4, 6])
    expect([busy.strikes, broken.strikes].every(strikes => strikes > 0)).toBe(true)
    knative.clear()
    const down = knative.inject(knativeFaults.answer(500, '{"message":"etcd is down"}'), {
      place: 'api',
      times: Number.POSITIVE_INFINITY,
    })
    const backend = await there.open()
    await expect(backend.listRuntimes()).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      isRetryable: true,
      message: expect.stringContaining('500: etcd is down'),
    })
    expect(down.strikes).toBeGreaterThan(2)
    knative.clear()
  })

  test('a gateway that has moved is found again', async () => {
    const knative = await there.start()
    const backend = await there.open({ runtime_memory: 380 })
    await backend.deployRuntime(backend.defaultRuntime)
    knative.clear()
    await knative.moveGateway()
    expect(await run(await there.open({ runtime_memory: 380 }))).toEqual([2, 4, 6])
    expect(knative.counts['create ksvc']).toBeUndefined()
  })

  test('a worker that does not start is said with how it ended', async () => {
    const knative = await there.start()
    const backend = await there.open({ runtime_memory: 360, env_vars: { NODE_OPTIONS: '--no-such-option' } })
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/CrashLoopBackOff: .*exit code 9.*no-such-option is not allowed/s),
    })
    expect(knative.names('services').filter(name => name.includes('-360-'))).toEqual([])
  })
})

describe('a registry with a password', () => {
  const login = { user: 'pusher', password: 'pull-me-pass' }
  const there = cluster({ registryLogin: login })

  test('is given a login from the config, and so is the cluster, until clean', async () => {
    const knative = await there.start()
    const section = { docker_user: login.user, docker_password: login.password }
    const backend = await there.open(section)
    expect(await run(backend)).toEqual([2, 4, 6])
    expect(knative.names('secrets')).toEqual([expect.stringMatching(/^lithops-ts-tester-\w+-pull-/)])
    for (const text of [
      knative.text('services'),
      knative.text('pods'),
      knative.logs,
      knative.registry.content,
    ])
      expect(text).not.toContain(login.password)
    expect((await backend.clean()).map(name => name.split(' ')[0])).toEqual([
      expect.stringMatching(/^lithops-ts-/),
      'secret',
      'image',
    ])
    expect([...knative.names('secrets'), ...knative.registry.digests]).toEqual([])
  })

  test('refuses others, and the error says what is missing', async () => {
    there.newCache()
    const backend = await there.open({ docker_user: login.user, docker_password: 'wrong' })
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringMatching(/pusher.*password/s),
    })
  })
})

describe('quotas', () => {
  const there = cluster({ quota: { name: 'team-quota', memoryMiB: 600, services: 1 } })

  test('of memory and of services are named', async () => {
    const knative = await there.start()
    const large = await there.open({ runtime_memory: 700 })
    await expect(large.deployRuntime(large.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/requested: requests.memory=700Mi.*'team-quota'.*runtime_memory/s),
      details: { quota: 'team-quota', limited: 'requests.memory=600Mi' },
    })
    expect(knative.names('services')).toEqual([])
    const backend = await there.open({ runtime_memory: 256, max_workers: 8 })
    // two workers fit: the others wait for their turn
    expect(await run(backend)).toEqual([2, 4, 6])
    const second = await there.open({ runtime_memory: 200 })
    await expect(second.deployRuntime(second.defaultRuntime)).rejects.toMatchObject({
      message: expect.stringMatching(/count\/services.*'team-quota'.*lithops clean/s),
    })
  })
})

describe('gateways', () => {
  const withIstio = cluster({ gateway: 'istio' })
  test('of other networking layers are found', async () => {
    expect(await run(await withIstio.open())).toEqual([2, 4, 6])
  })

  const there = cluster({ gateway: 'none', timing: { removalMs: 300 } })
  test('that are not there are said, with what was tried; the config can name one', async () => {
    const knative = await there.start()
    const backend = await there.open()
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      message: expect.stringMatching(/no kourier-system\/kourier.*knative.ingress_endpoint/s),
    })
    expect(await run(await there.open({ ingress_endpoint: knative.gateway }))).toEqual([2, 4, 6])
    // made again at once, while the old one is still being removed
    const again = await there.open({ ingress_endpoint: knative.gateway })
    await again.deleteRuntime(again.defaultRuntime)
    expect(await run(again)).toEqual([2, 4, 6])
  })
})
