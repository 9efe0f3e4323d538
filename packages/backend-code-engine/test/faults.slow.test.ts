import { batchFaultSuite, twice, withMinio } from '@lithops/fake-clouds/batch-suite'
import { codeEngineFaults } from '@lithops/fake-clouds/code-engine'
import { describe, expect } from 'vitest'
import { batchCloud, batchFaults, QUICK_FAULTS } from './batch-cloud.ts'
import { cloud } from './cloud.ts'

describe('things that break, and take their time', () => {
  const there = cloud({ projects: ['there'] })
  const storage = withMinio('slow-faults')
  const open = (section: Record<string, unknown> = {}) => there.open({ project_name: 'there', ...section })

  batchFaultSuite(
    {
      storage,
      start: async () => batchCloud(await there.start()),
      open,
      newCache: () => there.newCache(),
      ...batchFaults,
    },
    name => !QUICK_FAULTS.test(name),
  )

  storage.test('a run that is refused for now runs a moment later, and costs no retry', async () => {
    const cloud = await there.start()
    await using fexec = storage.open(await open({ connection_retries: 0 }))
    expect(await fexec.callAsync(twice, 1)).toBe(2)
    const refused = cloud.inject(codeEngineFaults.tooMany(), { action: 'POST job_runs', times: 2 })
    const slowed = fexec.callAsync(twice, 3, { retries: { infrastructure: 0 } })
    expect(await slowed).toBe(6)
    expect(refused.strikes).toBe(2)
  })
})
