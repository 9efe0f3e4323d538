import { FunctionExecutor } from '@lithops/core'
import { cloudRunFaults } from '@lithops/fake-clouds/cloudrun'
import { afterEach, describe, expect, test } from 'vitest'
import { platform } from './platform.ts'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const twice = (x: number) => x * 2

describe('things that break', () => {
  const there = platform()
  const open = async (section: Record<string, unknown> = {}) => {
    const backend = await there.open({ max_workers: 4, ...section })
    await backend.deployRuntime(backend.defaultRuntime)
    return new FunctionExecutor({ backend })
  }
  afterEach(async () => (await there.start()).clear())

  test.each([
    ['one reply in thirty is lost after the function ran', cloudRunFaults.loseReply()],
    ['one instance in thirty is killed in the middle', cloudRunFaults.killInstance()],
    ['one request in thirty finds no instance', cloudRunFaults.noInstance()],
    ['one request in thirty finds a service that is not available', cloudRunFaults.notAvailable()],
    ['one request in thirty is cut behind the front end', cloudRunFaults.brokenInstance()],
    ['one request in thirty waits in vain for an instance', cloudRunFaults.timeout()],
    ['one request in thirty finds no service', cloudRunFaults.noService()],
    ['one connection in thirty is refused', cloudRunFaults.refuse()],
  ])('%s: every call ends once with the right value', async (_, fault) => {
    const cloud = await there.start()
    await using fexec = await open()
    cloud.clear()
    const injected = cloud.inject(fault, { every: 30, times: Number.POSITIVE_INFINITY })
    let ended = 0
    const futures = fexec.map(twice, range(90))
    for await (const _ of futures) ended++
    expect(ended).toBe(90)
    expect(await fexec.getResult(futures)).toEqual(range(90).map(twice))
    expect(injected.strikes).toBeGreaterThan(2)
  })

  test('more calls than there are instances for are sent more slowly, without a retry', async () => {
    const cloud = await there.start()
    await using fexec = await open()
    cloud.clear()
    const injected = cloud.inject(cloudRunFaults.noInstance(), { every: 3, times: 6 })
    const futures = fexec.map(twice, range(40), { retries: { infrastructure: 0 } })
    expect(await fexec.getResult(futures)).toEqual(range(40).map(twice))
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
    const cloud = await there.start()
    await using fexec = await open()
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    for (const name of cloud.services) cloud.removeService(name)
    expect(await fexec.getResult(fexec.map(twice, range(10)))).toEqual(range(10).map(twice))
  })

  test('tokens that expire in the middle of a job are fetched anew, once, and cost no retry', async () => {
    const cloud = await there.start()
    await using fexec = await open()
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    cloud.accounts.expire()
    const before = cloud.accounts.given.id
    const futures = fexec.map(twice, range(20), { retries: { infrastructure: 0 } })
    expect(await fexec.getResult(futures)).toEqual(range(20).map(twice))
    expect(cloud.accounts.given.id - before).toBe(1)
    // and those of the APIs
    cloud.accounts.expire()
    expect(await fexec.listRuntimes()).not.toEqual([])
  })

  test('where a call ran, what was logged there, and what it cost', async () => {
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
    expect((await fexec.usageOf(future)).costUsd).toBeGreaterThan(0)
  })

  test('a platform that scales slowly holds requests until instances are there, from zero too', async () => {
    const cloud = await there.start()
    const { timing } = cloud
    const usual = { ...timing }
    Object.assign(timing, { scaleUpMs: 400, scaleDownMs: 300 })
    const backend = await there.open({ max_workers: 20 })
    await using fexec = new FunctionExecutor({ backend })
    expect(await fexec.getResult(fexec.map(twice, range(40)))).toEqual(range(40).map(twice))
    await expect.poll(() => cloud.instanceCount, { timeout: 10_000 }).toBe(0)
    const futures = fexec.map(twice, range(10))
    expect(await fexec.getResult(futures)).toEqual(range(10).map(twice))
    expect(futures.every(future => future.stats.retryCount === 0)).toBe(true)
    Object.assign(timing, usual)
  })

  test('eighty calls that wait do so together, in one instance', async () => {
    const cloud = await there.start()
    const backend = await there.open({ runtime_cpu: 1, runtime_memory: 512, concurrency: 80, max_workers: 1 })
    await using fexec = new FunctionExecutor({ backend })
    const meet = async (i: number) => {
      // nobody leaves before all are here: each waits for all others in the one process
      const hall = globalThis as { here?: number }
      hall.here = (hall.here ?? 0) + 1
      while ((hall.here ?? 0) < 80) await new Promise(done => setTimeout(done, 5))
      return i
    }
    expect(await fexec.getResult(fexec.map(meet, range(80)))).toEqual(range(80))
    const [name = ''] = cloud.services.filter(one => one.includes('-512-'))
    expect(cloud.service(name)?.template?.maxInstanceRequestConcurrency).toBe(80)
  })
})
