import { expect } from 'vitest'
import { asyncWays, checkFaults } from './async-ways.ts'

const timeout = 600_000

for (const way of asyncWays()) {
  way.test(
    `over ${way.name}, environments that are killed in the middle of their calls are missed when their time is up`,
    async () => {
      const { fexec, aws } = await way.open()
      await using _ = fexec
      const futures = await checkFaults({ aws, fexec }, { calls: 60, killAfterMs: 700, callMs: 1000 })
      expect(futures.filter(future => future.stats.retryCount > 0)).toHaveLength(3)
    },
    { timeout },
  )

  way.test(
    `over ${way.name}, environments that are killed as they begin are not waited for an hour`,
    async () => {
      const { fexec, backend, aws } = await way.open()
      await using _ = fexec
      // some minutes on AWS
      backend.capabilities = { ...backend.capabilities, restartAfterMs: 1_500 }
      await checkFaults({ aws, fexec }, { calls: 60, killAfterMs: 0, callMs: 1 })
    },
    { timeout },
  )
}
