import { FunctionExecutor } from '@lithops/core'
import { expect, test } from 'vitest'
import { cloud } from './cloud.ts'

const there = cloud({ projects: ['there'] })
const speak = (x: number) => {
  console.log(`said by ${x}`)
  return x
}

test('what applications wrote comes from IBM Cloud Logs too, and a token that has expired is fetched anew', async () => {
  const cloud = await there.start()
  const backend = await there.open({
    project_name: 'there',
    workload: 'applications',
    logs_endpoint: cloud.logsUrl,
  })
  await using fexec = new FunctionExecutor({ backend })
  const future = fexec.callAsync(speak, 4)
  await future
  expect(future.logs).toBe('said by 4\n')
  await expect.poll(() => future.stats.requestId, { timeout: 20_000 }).toBeDefined()
  cloud.expireTokens()
  expect(await fexec.logsOf(future)).toContain('said by 4\n')
  expect(await fexec.platformLogs({ jobKey: `${future.executorId}-${future.jobId}` })).toContain(
    'said by 4\n',
  )
})
