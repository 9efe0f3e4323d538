import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { moto, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect, vi } from 'vitest'
import { AwsClients } from '../src/clients.ts'
import { settingsOf } from '../src/config.ts'
import { ContainerImages } from '../src/container-images.ts'
import { Deployer, type FunctionPlan } from '../src/deployer.ts'
import { Inventory } from '../src/inventory.ts'
import { describe as describeFunction, functionName } from '../src/names.ts'
import { roleFor } from '../src/role.ts'
import { workerCode } from '../src/worker-code.ts'

// The control plane once more, against another stand-in than our own. It runs no functions.

const server = withRealPart(moto)
const log = { debug() {}, info() {}, warn() {} }
const naming = { namespace: '', userKey: 'MOTO' }
const secret = (password: string) => ({ storageId: 's3-1', storageName: 'aws_s3', values: { password } })

server.test('a function is made, found, given secrets, listed and removed, with its role', async () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.part
  for (const name of ['STS', 'IAM', 'CLOUDWATCH_LOGS', 'ECR'])
    vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, endpoint)
  const config = { endpoint, region, access_key_id: accessKeyId, secret_access_key: secretAccessKey }
  const clients = new AwsClients(config)
  const settings = settingsOf({ create_role: true, user_tags: { team: 'data' } })
  const { accountId } = await clients.identity()
  expect(accountId).toMatch(/^\d{12}$/)
  const role = () =>
    roleFor(clients, {
      scope: { region, accountId, settings },
      name: 'lithops-worker-MOTO',
      createsRole: true,
      log,
      signal: undefined,
    })
  const code = await workerCode({
    drivers: [],
    packages: [],
    target: { platform: 'linux', arch: 'x64', libc: 'glibc', nodeMajor: 22 },
  })
  const plan: FunctionPlan = {
    name: functionName(naming, { name: 'default', memoryMiB: 256 }, '0.1.0', code.id),
    description: describeFunction({ runtime: 'default', version: '0.1.0' }),
    nodeRuntime: 'nodejs22.x',
    memoryMiB: 256,
    code,
    image: undefined,
    settings,
  }
  const deployer = new Deployer(clients)
  await deployer.ensure(plan, { role, secrets: [], log })
  // it is there: nothing is made, and secrets are placed beside what it has
  await deployer.ensure(plan, { role, secrets: [secret('one')], log })
  await deployer.ensure(plan, { role, secrets: [secret('two')], log })

  const lambda = new LambdaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}))
  lambda.destroy()
  expect(Functions).toHaveLength(1)
  const { CodeSha256, Handler, MemorySize, Environment } = Functions[0] ?? {}
  expect({ CodeSha256, Handler, MemorySize }).toEqual({
    CodeSha256: (await code.zip({ log })).sha256,
    Handler: 'index.handler',
    MemorySize: 256,
  })
  expect(Environment?.Variables?.LITHOPS_SECRETS).toContain('two')

  const images = new ContainerImages({ clients, settings, userKey: 'MOTO', log })
  const inventory = new Inventory(clients, naming, images, log)
  expect(await inventory.functions()).toEqual([
    {
      name: 'default',
      version: '0.1.0',
      memoryMiB: 256,
      workerName: plan.name,
      details: expect.objectContaining({ architecture: 'x86_64', disk: '512 MiB', node: 'nodejs22.x' }),
    },
  ])
  expect(await inventory.clean({ dryRun: true })).toEqual([plan.name, 'role lithops-worker-MOTO'])
  expect(await inventory.clean({})).toEqual([plan.name, 'role lithops-worker-MOTO'])
  expect(await inventory.clean({})).toEqual([])
  await clients.close()
  vi.unstubAllEnvs()
})
