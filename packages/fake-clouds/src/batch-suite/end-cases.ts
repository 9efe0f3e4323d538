import { expect } from 'vitest'
import type { FaultCase } from './fault-suite.ts'
import { twice } from './functions.ts'

/** Instances that do not begin, and how those that began have ended. */
export const endCases: readonly FaultCase[] = [
  {
    name: 'too much memory, the time limit, and a function that ends its process, are told apart',
    run: async ({ storage, open }) => {
      await using fexec = storage.open(await open({ runtime_timeout: 5 }))
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
      const never = fexec.callAsync(() => new Promise(() => setInterval(() => {}, 1000)), 0, once)
      await expect(never.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_TIMEOUT' })
    },
  },
  {
    name: 'an image that cannot be pulled: the error says so, nothing broken stays, and it is made again',
    run: async ({ cloud, storage, open, newCache, words }) => {
      const { registry } = cloud
      const pull = registry.pull.bind(registry)
      const before = new Set(cloud.jobs)
      try {
        await using fexec = storage.open(await open({ runtime_memory: 1024 }))
        registry.pull = () => undefined
        newCache()
        await expect(fexec.callAsync(twice, 1).result()).rejects.toMatchObject({
          code: 'LITHOPS_RUNTIME_DEPLOY',
          message: expect.stringMatching(words.unpullable),
        })
        expect(cloud.jobs.filter(name => !before.has(name))).toEqual([])
        registry.pull = pull
        expect(await fexec.callAsync(twice, 1)).toBe(2)
        // it is removed from the registry later: the run cannot begin
        registry.pull = () => undefined
        await expect(
          fexec.callAsync(twice, 1, { retries: { infrastructure: 0 } }).result(),
        ).rejects.toMatchObject({
          code: 'LITHOPS_INVOCATION',
          message: expect.stringMatching(words.unpullableLater),
        })
      } finally {
        registry.pull = pull
      }
    },
  },
  {
    name: 'a worker that does not start is said with how it ended, and is not left behind',
    run: async ({ cloud, open, words }) => {
      const before = new Set(cloud.jobs)
      const backend = await open({ runtime_memory: 2048, env_vars: { NODE_OPTIONS: '--no-such-option' } })
      await expect(backend.deployRuntime(backend.defaultRuntime, {})).rejects.toMatchObject({
        code: 'LITHOPS_RUNTIME_DEPLOY',
        message: expect.stringMatching(words.unstarted),
      })
      expect([cloud.jobs.filter(name => !before.has(name)), cloud.runs]).toEqual([[], []])
    },
  },
]
