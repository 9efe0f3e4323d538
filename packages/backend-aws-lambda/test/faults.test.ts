import { FunctionExecutor } from '@lithops/core'
import { awsFaults } from '@lithops/fake-clouds/aws'
import { describe, expect, test } from 'vitest'
import { cloud } from './cloud.ts'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const twice = (x: number) => x * 2

describe('an account that runs ten at once', () => {
  const there = cloud({ quotas: { concurrentExecutions: 10, requestsPerSecondPerConcurrency: 1000 } })

  test('is not asked for more', async () => {
    const aws = await there.start()
    const backend = await there.open()
    await using fexec = new FunctionExecutor({ backend })
    expect(await fexec.getResult(fexec.map(twice, range(200)))).toEqual(range(200).map(twice))
    expect(aws.peakConcurrency).toBeLessThanOrEqual(10)
    expect(backend.capabilities.maxActivations).toBe(10)
  })

  test('and refuses a thousand calls that do not know it: every call ends once, without a retry', async () => {
    const aws = await there.start()
    const backend = await there.open()
    await backend.deployRuntime(backend.defaultRuntime)
    backend.capabilities = { ...backend.capabilities, maxActivations: 200 }
    aws.clear()
    await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
    const futures = fexec.map(twice, range(1000))
    expect(await fexec.getResult(futures)).toEqual(range(1000).map(twice))
    expect(aws.counts['lambda:Invoke']).toBeGreaterThan(1000)
    expect(futures.every(future => future.stats.retryCount === 0)).toBe(true)
  })
})

describe('things that break', () => {
  const there = cloud()
  const open = async () => {
    const backend = await there.open({ max_workers: 6 })
    await backend.deployRuntime(backend.defaultRuntime)
    return new FunctionExecutor({ backend })
  }
  const always = { operation: 'Invoke', every: 20, times: Number.POSITIVE_INFINITY }

  test.each([
    ['one reply in twenty is lost after the function ran', awsFaults.loseReply()],
    ['one environment in twenty is killed in the middle', awsFaults.killEnvironment()],
    ['one request in twenty fails on the other side', awsFaults.serviceError()],
    ['one request in twenty is throttled', awsFaults.throttle('CallerRateLimitExceeded')],
    ['one connection in twenty is refused', awsFaults.refuse()],
  ])('%s: every call ends once with the right value', async (_, fault) => {
    const aws = await there.start()
    await using fexec = await open()
    aws.clear()
    const injected = aws.inject(fault, always)
    let ended = 0
    const futures = fexec.map(twice, range(200))
    for await (const _ of futures) ended++
    expect(ended).toBe(200)
    expect(await fexec.getResult(futures)).toEqual(range(200).map(twice))
    expect(injected.strikes).toBeGreaterThan(5)
    aws.clear()
  })

  test('a function that uses too much memory is told from one that exits', async () => {
    const backend = await there.open({ runtime_memory: 128, max_workers: 2 })
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
    await expect(exit.result()).rejects.toMatchObject({
      code: 'LITHOPS_WORKER_LOST',
      message: expect.stringMatching(/exit status 7[\s\S]*before the end/),
    })
  })

  test('Lambda’s own time limit is a timeout of the call', async () => {
    const backend = await there.open({ runtime_timeout: 1, max_workers: 2 })
    await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
    const never = fexec.callAsync(() => new Promise(() => setInterval(() => {}, 1000)), 0)
    await expect(never.result()).rejects.toMatchObject({
      code: 'LITHOPS_CALL_TIMEOUT',
      message: expect.stringContaining('runtime_timeout'),
    })
  })

  test('keys that are wrong fail the job by name, at once', async () => {
    const { credentials } = await there.start()
    there.newCache()
    const backend = await there.open({ access_key_id: credentials.accessKeyId, secret_access_key: 'wrong' })
    await using fexec = new FunctionExecutor({ backend })
    await expect(fexec.callAsync(twice, 1).result()).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringContaining('Check the credentials'),
    })
  })

  test('a session that expires in the middle of a job ends it by name when there is no other', async () => {
    const aws = await there.start()
    const { accessKeyId, secretAccessKey, sessionToken } = aws.addSession()
    const keys = {
      access_key_id: accessKeyId,
      secret_access_key: secretAccessKey,
      session_token: sessionToken,
    }
    const backend = await there.open({ ...keys, max_workers: 2 })
    await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 1 } })
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    aws.expireSessions()
    await expect(fexec.callAsync(twice, 2).result()).rejects.toMatchObject({
      code: 'LITHOPS_INVOCATION',
      message: expect.stringContaining('ExpiredToken'),
    })
  })

  test('what a call used, where it ran, and what was logged there', async () => {
    await using fexec = await open()
    const future = fexec.callAsync((x: number) => {
      console.log('a line of the function')
      return x
    }, 1)
    expect(await future).toBe(1)
    expect(future.logs).toBe('a line of the function\n')
    expect(future.stats.requestId).toMatch(/^[0-9a-f-]{36}$/)
    const usage = await fexec.usageOf(future)
    expect(usage).toMatchObject({ requests: 1, isEstimated: false })
    expect(usage.billedMs).toBeGreaterThan(0)
    expect(usage.costUsd).toBeGreaterThan(0)
    await expect.poll(() => fexec.logsOf(future)).toContain('a line of the function')
    const ofJob = await fexec.platformLogs({ jobKey: `${future.executorId}-${future.jobId}` })
    expect(ofJob).toContain('REPORT RequestId')
  })
})
