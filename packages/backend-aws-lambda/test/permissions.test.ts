import { FunctionExecutor } from '@lithops/core'
import { expect, test } from 'vitest'
import { settingsOf } from '../src/config.ts'
import { deployerPolicy } from '../src/policies.ts'
import { cloud } from './cloud.ts'

const settings = settingsOf({ create_role: true })
const there = cloud({ policies: [deployerPolicy({ region: '*', accountId: '*', settings })] })

test('the policy that is printed is enough to deploy, run, look and remove', async () => {
  const aws = await there.start()
  const backend = await there.open({ execution_role: undefined, create_role: true })
  await using fexec = new FunctionExecutor({ backend })
  const secrets = [{ storageId: 's', storageName: 's', values: { key: 'v' } }]
  const future = fexec.callAsync((x: number) => x + 1, 1)
  expect(await future).toBe(2)
  await backend.deployRuntime(backend.defaultRuntime, { secrets })
  await fexec.logsOf(future)
  expect(await fexec.listRuntimes()).toHaveLength(1)
  expect((await backend.clean()).length).toBeGreaterThan(1)
  expect(aws.requests.filter(({ status }) => status === 403)).toEqual([])
  expect(aws.functionNames).toEqual([])
})
