import { FunctionExecutor } from '@lithops/core'
import { afterEach, expect, test } from 'vitest'
import { deployerRole, secretsRole } from '../src/policies.ts'
import { platform } from './platform.ts'

const { includedPermissions: deployer } = deployerRole('services')
const there = platform()

async function permit(permissions: readonly string[]) {
  const cloud = await there.start()
  cloud.accounts.permit(permissions)
  there.newCache()
  return cloud
}
afterEach(async () => (await there.start()).clear())

test('the roles that are printed are enough to deploy, run, look and remove', async () => {
  const cloud = await permit([...deployer, ...secretsRole().includedPermissions])
  const backend = await there.open()
  await using fexec = new FunctionExecutor({ backend })
  const secrets = [{ storageId: 's', storageName: 's', values: { key: 'v' } }]
  const future = fexec.callAsync((x: number) => x + 1, 1)
  expect(await future).toBe(2)
  await backend.deployRuntime(backend.defaultRuntime, { secrets })
  await fexec.logsOf(future)
  expect(await fexec.listRuntimes()).toHaveLength(1)
  await backend.deleteRuntime(backend.defaultRuntime)
  // images of a runtime of the user's own are removed one by one
  await backend.buildRuntime({ name: 'own:1' })
  await backend.deployRuntime({ name: 'own:1', memoryMiB: 512 })
  await backend.deleteRuntime({ name: 'own:1' })
  await expect.poll(() => cloud.registry.tags('oauth2accesstoken/own')).toEqual(['1'])
  expect(cloud.counts['delete version']).toBe(1)
  expect(cloud.requests.filter(({ status }) => status === 403)).toEqual([])
  expect([...cloud.services, ...cloud.secrets.names]).toEqual([])
})

test('what is not allowed is said with the right that is missing', async () => {
  await permit(deployer.filter(one => one !== 'run.services.create'))
  const backend = await there.open()
  await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_DEPLOY',
    message: expect.stringMatching(
      /needs the right run\.services\.create.*lithops runtime policies -b gcp_cloudrun/s,
    ),
  })
})

test('who may not call services is told which role is missing, without a retry', async () => {
  await permit(deployer.filter(one => one !== 'run.routes.invoke'))
  const backend = await there.open()
  await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
    code: 'LITHOPS_INVOCATION',
    isRetryable: false,
    message: expect.stringContaining('roles/run.invoker'),
  })
})

test('on a machine of Google’s no key is needed: the identity of the platform deploys and calls', async () => {
  const cloud = await there.start()
  cloud.accounts.permit(undefined)
  const backend = await there.open({ runtime_memory: 400 }, { hasKey: false })
  await using fexec = new FunctionExecutor({ backend })
  expect(await fexec.callAsync((x: number) => x + 1, 1)).toBe(2)
  expect(cloud.counts).toMatchObject({ metadata: expect.any(Number), 'create service': 1 })
  expect(cloud.counts.token).toBeUndefined()
})

test('who has no storage with keys needs the first role alone', async () => {
  const cloud = await permit(deployer)
  const backend = await there.open()
  await using fexec = new FunctionExecutor({ backend })
  expect(await fexec.callAsync((x: number) => x + 1, 1)).toBe(2)
  expect((await backend.clean()).length).toBeGreaterThan(1)
  expect(cloud.services).toEqual([])
})
