import { FunctionExecutor } from '@lithops/core'
import { expect, test } from 'vitest'
import { settingsOf } from '../src/config.ts'
import { deployerRole, gatewayRole } from '../src/policies.ts'
import { cluster } from './cluster.ts'

const settings = settingsOf({})
const there = cluster({ roles: [deployerRole(settings), gatewayRole()], gatewayPort: 'node port' })

test('the roles that are printed are enough to deploy, run, look and remove', async () => {
  const knative = await there.start()
  const backend = await there.open()
  await using fexec = new FunctionExecutor({ backend })
  const secrets = [{ storageId: 's', storageName: 's', values: { key: 'v' } }]
  const future = fexec.callAsync((x: number) => x + 1, 1)
  expect(await future).toBe(2)
  await backend.deployRuntime(backend.defaultRuntime, { secrets })
  await fexec.logsOf(future)
  expect(await fexec.listRuntimes()).toHaveLength(1)
  expect((await backend.clean()).length).toBeGreaterThan(1)
  expect(knative.requests.filter(({ status }) => status === 403)).toEqual([])
  expect(knative.names('services')).toEqual([])
})

test('what is not allowed is said with the right that is missing', async () => {
  const { namespace } = await there.start()
  const backend = await there.open({ namespace: 'elsewhere' })
  await expect(backend.listRuntimes()).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_DEPLOY',
    message: expect.stringMatching(/cannot list resource "services".*lithops runtime policies -b knative/s),
  })
  expect(namespace).toBe('default')
})
