import { FunctionExecutor } from '@lithops/core'
import { knativeFaults } from '@lithops/fake-clouds/knative'
import { afterEach, describe, expect, test } from 'vitest'
import { cluster } from './cluster.ts'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const twice = (x: number) => x * 2

describe('things that break', () => {
  const there = cluster()
  const open = async (section: Record<string, unknown> = {}) => {
    const backend = await there.open({ max_workers: 4, ...section })
    await backend.deployRuntime(backend.defaultRuntime)
    return new FunctionExecutor({ backend })
  }
  afterEach(async () => (await there.start()).clear())
  const always = { every: 20, times: Number.POSITIVE_INFINITY }

  test.each([
    ['one reply in twenty is lost after the function ran', knativeFaults.loseReply()],
    ['one container in twenty is killed in the middle', knativeFaults.killContainer()],
    ['one pod in twenty is removed in the middle', knativeFaults.removePod()],
    ['one request in twenty finds a full queue', knativeFaults.queueFull()],
    ['one request in twenty finds no worker', knativeFaults.noHealthyUpstream()],
    ['one request in twenty is cut behind the gateway', knativeFaults.upstreamReset()],
    ['one request in twenty waits in vain for a worker', knativeFaults.activatorTimeout()],
    ['one request in twenty finds no route yet', knativeFaults.noRoute()],
    ['one connection in twenty is refused', knativeFaults.refuse()],
  ])('%s: every call ends once with the right value', async (_, fault) => {
    const knative = await there.start()
    await using fexec = await open()
    knative.clear()
    const injected = knative.inject(fault, always)
    let ended = 0
    const futures = fexec.map(twice, range(120))
    for await (const _ of futures) ended++
    expect(ended).toBe(120)
    expect(await fexec.getResult(futures)).toEqual(range(120).map(twice))
    expect(injected.strikes).toBeGreaterThan(3)
  })

  test('more calls than the queues hold are sent more slowly, without a retry', async () => {
    const knative = await there.start()
    await using fexec = await open()
    knative.clear()
    const injected = knative.inject(knativeFaults.queueFull(), { every: 3, times: 6 })
    const futures = fexec.map(twice, range(60), { retries: { infrastructure: 0 } })
    expect(await fexec.getResult(futures)).toEqual(range(60).map(twice))
    expect(injected.strikes).toBeGreaterThan(0)
    expect(futures.every(future => future.stats.retryCount === 0)).toBe(true)
  })

  test('a function that uses too much memory is told from one that exits', async () => {
    const backend = await there.open({ runtime_memory: 256, max_workers: 2 })
    await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
    const hoard = fexec.callAsync(async () => {
      const kept: Buffer[] = []
      for (;;) {
        kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
        await new Promise(done => setTimeout(done, 5))
      }
    }, 0)
    await expect(hoard.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_OUT_OF_MEMORY' })
    const exit = fexec.callAsync(() => {
      console.log('before the end')
      process.exit(7)
    }, 0)
    await expect(exit.result()).rejects.toMatchObject({ code: 'LITHOPS_WORKER_LOST' })
  })

  test('the time limit of a service is a timeout of the call', async () => {
    const backend = await there.open({ runtime_timeout: 2, max_workers: 2 })
    await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
    const never = fexec.callAsync(() => new Promise(() => setInterval(() => {}, 1000)), 0)
    await expect(never.result()).rejects.toMatchObject({
      code: 'LITHOPS_CALL_TIMEOUT',
      message: expect.stringContaining('runtime_timeout'),
    })
  })

  test('a service that somebody removed in the middle of a job is made again, and the calls go on', async () => {
    const knative = await there.start()
    await using fexec = await open()
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    for (const name of knative.names('services')) knative.removeService(name)
    expect(await fexec.getResult(fexec.map(twice, range(10)))).toEqual(range(10).map(twice))
  })

  test('a token that expires in the middle of a job does not matter to calls', async () => {
    const knative = await there.start()
    await using fexec = await open()
    knative.expireTokens()
    expect(await fexec.getResult(fexec.map(twice, range(10)))).toEqual(range(10).map(twice))
    knative.renewToken()
  })

  test('a token that was renewed by others is read again; without one, the error says what to do', async () => {
    const knative = await there.start()
    const backend = await there.open()
    await backend.listRuntimes()
    knative.expireTokens()
    await expect(backend.listRuntimes()).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(/401.*log in to the cluster anew/),
    })
    knative.renewToken()
    expect(await backend.listRuntimes()).not.toEqual([])
  })

  test('where a call ran, and what was logged there', async () => {
    await using fexec = await open()
    const future = fexec.callAsync((x: number) => {
      console.log('a line of the function')
      return x
    }, 1)
    expect(await future).toBe(1)
    expect(future.logs).toBe('a line of the function\n')
    await expect.poll(() => future.stats.requestId).toMatch(/^lithops-ts-tester-.+\/\d+-\d+$/)
    await expect.poll(() => fexec.logsOf(future)).toContain('a line of the function')
    const ofJob = await fexec.platformLogs({ jobKey: `${future.executorId}-${future.jobId}` })
    expect(ofJob).toContain('a line of the function')
    expect((await fexec.usageOf(future)).costUsd).toBeUndefined()
  })
})

describe('a cluster that scales slowly', () => {
  const there = cluster({ timing: { scaleUpMs: 400, scaleDownMs: 300, routeMs: 400 }, mostPods: 3 })

  test('holds requests until workers are there, from zero too', async () => {
    const knative = await there.start()
    const backend = await there.open({ max_workers: 20 })
    await using fexec = new FunctionExecutor({ backend })
    expect(await fexec.getResult(fexec.map(twice, range(60)))).toEqual(range(60).map(twice))
    await expect.poll(() => knative.names('pods'), { timeout: 10_000 }).toEqual([])
    const futures = fexec.map(twice, range(10))
    expect(await fexec.getResult(futures)).toEqual(range(10).map(twice))
    expect(futures.every(future => future.stats.retryCount === 0)).toBe(true)
  })
})
