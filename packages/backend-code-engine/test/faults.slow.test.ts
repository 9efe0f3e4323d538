import { codeEngineFaults } from '@lithops/fake-clouds/code-engine'
import { afterEach, describe, expect } from 'vitest'
import { cloud, withStorage } from './cloud.ts'

const twice = (x: number) => x * 2
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('things that break, and take their time', () => {
  const there = cloud({ projects: ['there'] })
  const storage = withStorage('slow-faults')
  const open = async (section: Record<string, unknown> = {}) =>
    storage.open(await there.open({ project_name: 'there', ...section }))
  afterEach(async () => (await there.start()).clear())

  storage.test(
    'one instance in twenty is killed in the middle of a large map: every call ends once',
    async () => {
      const cloud = await there.start()
      await using fexec = await open({ max_workers: 30 })
      await (await fexec.storage()).createBucket()
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const killed = cloud.inject(codeEngineFaults.killInstance(300), { every: 20, times: 10 })
      const lost = cloud.inject(codeEngineFaults.loseAnswer(), { every: 15, times: Number.POSITIVE_INFINITY })
      const busy = cloud.inject(codeEngineFaults.answer(503), { every: 11, times: Number.POSITIVE_INFINITY })
      let ended = 0
      const futures = fexec.map(twice, range(200))
      for await (const _ of futures) ended++
      expect(ended).toBe(200)
      expect(await fexec.getResult(futures)).toEqual(range(200).map(twice))
      expect([killed, lost, busy].every(({ strikes }) => strikes > 3)).toBe(true)
      cloud.clear()
      await expect.poll(() => cloud.names('job_runs'), { timeout: 20_000 }).toEqual([])
    },
    { timeout: 240_000 },
  )

  storage.test('a run that somebody removed, and one that is refused for now, run again', async () => {
    const cloud = await there.start()
    await using fexec = await open({ connection_retries: 0 })
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    const wait = (x: number) => new Promise<number>(done => setTimeout(done, 600, x))
    const future = fexec.callAsync(wait, 1)
    await expect.poll(() => cloud.activeCount, { timeout: 20_000 }).toBe(1)
    for (const name of cloud.names('job_runs')) await cloud.remove('job_runs', name)
    expect(await future).toBe(1)
    const refused = cloud.inject(codeEngineFaults.tooMany(), { action: 'POST job_runs', times: 2 })
    const slowed = fexec.callAsync(twice, 3, { retries: { infrastructure: 0 } })
    expect(await slowed).toBe(6)
    expect(refused.strikes).toBe(2)
  })

  storage.test('too much memory, and a function that ends its process, are told apart', async () => {
    await using fexec = await open({ runtime_memory: 256 })
    const once = { retries: { infrastructure: 0, user: 0 } }
    const hoard = fexec.callAsync(
      async () => {
        const kept: Buffer[] = []
        for (;;) {
          kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
          await new Promise(done => setTimeout(done, 5))
        }
      },
      0,
      once,
    )
    const exit = fexec.callAsync(() => process.exit(0), 0, once)
    await expect(hoard.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_OUT_OF_MEMORY' })
    await expect(exit.result()).rejects.toMatchObject({
      code: 'LITHOPS_WORKER_LOST',
      message: expect.stringContaining('the function ended its process'),
    })
  })
})
