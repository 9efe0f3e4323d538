import { expect } from 'vitest'
import type { FaultCase } from './fault-suite.ts'
import { range, twice } from './functions.ts'

const always = Number.POSITIVE_INFINITY

/** Instances, answers, runs and jobs that are lost. */
export const lossCases: readonly FaultCase[] = [
  {
    name: 'one instance in twenty is killed in the middle of a large map: every call ends once',
    timeoutMs: 240_000,
    run: async ({ cloud, storage, open }) => {
      await using fexec = storage.open(await open({ max_workers: 30 }))
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const faults = [
        cloud.killInstances(300, { every: 20, times: 10 }),
        cloud.loseAnswers({ every: 15, times: always }),
        cloud.failAnswers({ every: 11, times: always }),
      ]
      let ended = 0
      const futures = fexec.map(twice, range(200))
      for await (const _ of futures) ended++
      expect(ended).toBe(200)
      expect(await fexec.getResult(futures)).toEqual(range(200).map(twice))
      expect(faults.every(({ strikes }) => strikes > 3)).toBe(true)
      cloud.clear()
      await expect.poll(() => cloud.runs, { timeout: 20_000 }).toEqual([])
    },
  },
  {
    name: 'a run that fails wholly is an error with the reason, within the budget of retries',
    run: async ({ cloud, storage, open, words }) => {
      await using fexec = storage.open(await open())
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const killed = cloud.killInstances(0, { times: always })
      const futures = fexec.map(twice, range(2), { retries: { infrastructure: 1 } })
      expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([undefined, undefined])
      for (const { error } of futures) {
        const message = expect.stringMatching(words.killed)
        const code = 'LITHOPS_WORKER_LOST'
        expect(error).toMatchObject({ code, message, details: words.killedDetails })
        expect(error).toMatchObject({ message: expect.stringMatching(/tried 2 times/) })
      }
      expect(killed.strikes).toBe(4)
    },
  },
  {
    name: 'a job, and a run, that somebody removed are made again, and the calls go on',
    run: async ({ cloud, storage, open }) => {
      await using fexec = storage.open(await open())
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      const before = cloud.jobs.length
      for (const name of cloud.jobs) await cloud.removeJob(name)
      expect(await fexec.getResult(fexec.map(twice, range(3)))).toEqual([0, 2, 4])
      expect([before > 0, cloud.jobs.length]).toEqual([true, 1])
      const wait = (x: number) => new Promise<number>(done => setTimeout(done, 600, x))
      const future = fexec.callAsync(wait, 1)
      await expect.poll(() => cloud.activeCount, { timeout: 20_000 }).toBe(1)
      for (const name of cloud.runs) await cloud.removeRun(name)
      expect(await future).toBe(1)
    },
  },
  {
    name: 'more calls than max_workers run in slices',
    run: async ({ cloud, storage, open }) => {
      await using fexec = storage.open(await open({ max_workers: 4 }))
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      expect(await fexec.getResult(fexec.map(twice, range(10)))).toEqual(range(10).map(twice))
      expect(cloud.askedCounts.reduce((sum, count) => sum + count, 0)).toBe(10)
      // the first of them may have one less: the call before is told a moment before its instance ends
      expect(Math.max(...cloud.askedCounts)).toBeLessThanOrEqual(4)
      expect(cloud.askedCounts.length).toBeLessThanOrEqual(7)
    },
  },
  {
    name: 'what is much alike is packed; what is not is several runs',
    timeoutMs: 240_000,
    run: async ({ cloud, storage, open, unlikeCalls, startBytes }) => {
      await using fexec = storage.open(await open({ max_workers: unlikeCalls }))
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const { randomBytes } = await import('node:crypto')
      const texts = range(unlikeCalls).map(() => randomBytes(15_000).toString('base64'))
      const lengths = await fexec.getResult(fexec.map((text: string) => text.length, texts))
      expect(lengths).toEqual(texts.map(text => text.length))
      expect(cloud.askedCounts.reduce((sum, count) => sum + count, 0)).toBe(unlikeCalls)
      expect(cloud.askedCounts.length).toBeGreaterThan(1)
      expect(cloud.largestStartBytes).toBeLessThan(startBytes)
    },
  },
]
