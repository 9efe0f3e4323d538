import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { codeEngineFaults } from '@lithops/fake-clouds/code-engine'
import { knativeFaults } from '@lithops/fake-clouds/knative'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { cloud } from './cloud.ts'

const twice = (x: number) => x * 2
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-extend-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('applications', () => {
  const login = { user: 'pusher', password: 'pull-me-pass' }
  const there = cloud({ registryLogin: login, projects: ['there'] })
  const open = (section: Record<string, unknown> = {}) =>
    there.open({
      project_name: 'there',
      workload: 'applications',
      docker_user: login.user,
      docker_password: login.password,
      ...section,
    })
  afterEach(async () => (await there.start()).clear())

  test('the second program asks for the key alone, and nobody without it is let in', async () => {
    const cloud = await there.start()
    await using fexec = new FunctionExecutor({ backend: await open() })
    expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
    cloud.clear()
    await using second = new FunctionExecutor({ backend: await open() })
    expect(await second.callAsync(twice, 1)).toBe(2)
    expect(cloud.counts).toEqual({ 'GET projects': 1, 'GET secrets/NAME': 1 })
    const { endpoint } = JSON.parse(cloud.text('apps'))[0] as { endpoint: string }
    for (const [method, headers] of [
      ['GET', {}],
      ['POST', {}],
      ['POST', { 'lithops-access-key': 'guessed' }],
    ] as const)
      expect((await fetch(endpoint, { method, headers })).status).toBe(401)
  })

  test('keys and passwords are in secrets, and nowhere else; other secrets make a new revision', async () => {
    const cloud = await there.start()
    const backend = await open({ runtime_memory: 1024 })
    const secret = { storageId: 'minio-1', storageName: 'minio', values: { password: 'very-secret-word' } }
    await backend.deployRuntime(backend.defaultRuntime, { secrets: [secret] })
    await using fexec = new FunctionExecutor({ backend })
    const seen = await fexec.callAsync(() => JSON.stringify([process.env, process.argv]), undefined)
    const key = /"LITHOPS_ACCESS_KEY":"([^"]+)"/.exec(cloud.text('secrets'))?.[1] ?? ''
    expect(key.length).toBeGreaterThan(30)
    const shown = [
      seen,
      cloud.text('apps'),
      cloud.logs,
      cloud.registry.content,
      ...cloud.activations.map(({ body }) => body.toString('latin1')),
      ...cloud.requests.filter(({ action }) => !action.includes('secrets')).map(({ body }) => body),
    ]
    for (const text of shown)
      for (const word of [key, 'very-secret-word', login.password, cloud.apiKey])
        expect(text).not.toContain(word)
    cloud.clear()
    await backend.deployRuntime(backend.defaultRuntime, {
      secrets: [{ ...secret, values: { password: 'other' } }],
    })
    expect(cloud.counts).toMatchObject({ 'PUT secrets/NAME': 1, 'PATCH apps/NAME': 1 })
    expect(await fexec.callAsync(twice, 2)).toBe(4)
  })

  test('a runtime that was extended has its function, which no activation carries', async () => {
    const cloud = await there.start()
    const filepath = path.join(folder, 'scaling.ts')
    writeFileSync(filepath, "export function scale(x: number) { return ['words of the code', x * 5] }\n")
    await using extending = new FunctionExecutor({ backend: await open() })
    const [extended] = await extending.runtimes.extend({ name: 'default', filepath, function: 'scale' })
    expect(extended).toMatchObject({ isBuilt: true, functions: [extended?.function.hash] })
    const { scale } = (await import(/* @vite-ignore */ pathToFileURL(filepath).href)) as {
      scale: (x: number) => unknown
    }
    cloud.clear()
    const serverless = { runtime: extended?.name, map_func_mod: filepath, map_func: 'scale' }
    await using fexec = new FunctionExecutor({
      backend: await open({ runtime: extended?.name }),
      config: { serverless },
    })
    expect(await fexec.getResult(fexec.map(scale, [2]))).toEqual([['words of the code', 10]])
    expect(cloud.activations).toHaveLength(1)
    for (const { body } of cloud.activations) expect(body.includes('words of the code')).toBe(false)
  })

  test('one that somebody removed, and one whose key is another by now, are found again', async () => {
    const cloud = await there.start()
    await using fexec = new FunctionExecutor({ backend: await open() })
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    for (const name of cloud.names('apps')) await cloud.remove('apps', name)
    expect(await fexec.callAsync(twice, 2)).toBe(4)
    for (const kind of ['apps', 'secrets'] as const)
      for (const name of cloud.names(kind)) await cloud.remove(kind, name)
    expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
  })

  test.each([
    ['a lost reply', knativeFaults.loseReply()],
    ['an instance that is killed', knativeFaults.killContainer()],
    ['a full queue', knativeFaults.queueFull()],
    ['no instance', knativeFaults.noHealthyUpstream()],
    ['an instance that takes too long to start', knativeFaults.activatorTimeout()],
  ])('%s: every call ends once with the right value', async (_, fault) => {
    const cloud = await there.start()
    await using fexec = new FunctionExecutor({ backend: await open() })
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    cloud.clear()
    const injected = cloud.injectIntoApplications(fault, { every: 12, times: 4 })
    let ended = 0
    const futures = fexec.map(twice, range(50))
    for await (const _ of futures) ended++
    expect(ended).toBe(50)
    expect(await fexec.getResult(futures)).toEqual(range(50).map(twice))
    expect(injected.strikes).toBe(4)
  })

  test('an image that cannot be pulled is said, and nothing broken stays; clean leaves nothing', async () => {
    const cloud = await there.start()
    there.newCache()
    const backend = await open({ runtime_memory: 2048 })
    const pull = cloud.registry.pull.bind(cloud.registry)
    cloud.registry.pull = () => undefined
    await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/did not become ready: .*not found.*docker_server/s),
    })
    cloud.registry.pull = pull
    expect(cloud.text('apps')).not.toContain('"2G"')
    const busy = cloud.inject(codeEngineFaults.answer(500), { action: 'GET apps', times: 2 })
    expect((await backend.clean()).length).toBeGreaterThan(2)
    expect(busy.strikes).toBe(2)
    for (const kind of ['apps', 'secrets', 'job_runs', 'config_maps'] as const)
      expect(cloud.names(kind)).toEqual([])
  })
})
