import { withMinio } from '@lithops/fake-clouds/batch-suite'
import { afterEach, expect, test } from 'vitest'
import { cloud } from './cloud.ts'

const there = cloud({ projects: ['there'] })
const storage = withMinio('logs')
afterEach(async () => (await there.start()).clear())
const speak = (x: number) => {
  console.log(`said by ${x}`)
  return x
}

storage.test('what jobs wrote comes with their results, and from IBM Cloud Logs', async () => {
  const cloud = await there.start()
  await using fexec = storage.open(
    await there.open({ project_name: 'there', logs_endpoint: `${cloud.logsUrl}/` }),
  )
  await (await fexec.storage()).createBucket()
  const futures = fexec.map(speak, [1, 2, 3])
  expect(await fexec.getResult(futures)).toEqual([1, 2, 3])
  expect(futures.map(({ logs }) => logs)).toEqual(['said by 1\n', 'said by 2\n', 'said by 3\n'])
  const [, second] = futures
  if (second === undefined) throw new Error('there are three')
  // what the platform says of an instance comes after its results
  await expect.poll(() => second.stats.requestId, { timeout: 20_000 }).toMatch(/-run-[0-9a-f]{10}\/1$/)
  const own = await fexec.logsOf(second)
  expect(own).toContain('said by 2\n')
  expect(own).not.toMatch(/said by [13]/)
  const other = fexec.callAsync(speak, 9)
  await other
  const ofJob = await fexec.platformLogs({ jobKey: `${second.executorId}-${second.jobId}` })
  expect(ofJob.match(/said by \d/g)?.sort()).toEqual(['said by 1', 'said by 2', 'said by 3'])
  expect(await fexec.platformLogs({ jobKey: 'a1b2c3-0-M000' })).toBe('')
  expect(await fexec.platformLogs({ requestId: 'no-such-run/1' })).toBe('')
})

test('without an instance of IBM Cloud Logs, it is said where logs are', async () => {
  const backend = await there.open({ project_name: 'there' })
  await expect(backend.logs({ jobKey: 'a1b2c3-0-M000' })).rejects.toMatchObject({
    code: 'LITHOPS_NOT_SUPPORTED',
    message: expect.stringMatching(
      /log of a1b2c3-0-M000 .*future\.logs.*IBM Cloud Logs.*code_engine\.logs_endpoint.*jobrun logs/s,
    ),
  })
})

test('an instance that does not answer is an error that names it', async () => {
  const backend = await there.open({
    project_name: 'there',
    logs_endpoint: 'http://127.0.0.1:9',
    connection_retries: 0,
  })
  await expect(backend.logs({ requestId: 'a-run/1' })).rejects.toThrow(
    /reading logs from http:\/\/127\.0\.0\.1:9 failed/,
  )
})
