import { FunctionExecutor } from '@lithops/core'
import { expect, test, vi } from 'vitest'
import { type WorkerParts, workerCode } from '../src/worker-code.ts'
import { cloud } from './cloud.ts'

const there = cloud({ keepBodies: true })
const twice = (x: number) => x * 2

async function run(backend: Awaited<ReturnType<typeof there.open>>, items = [1, 2, 3]): Promise<number[]> {
  await using fexec = new FunctionExecutor({ backend })
  return await fexec.getResult(fexec.map(twice, items))
}

const log = { debug() {}, info() {}, warn() {} }
/** Of the bare worker. */
const parts: WorkerParts = {
  drivers: [],
  packages: [],
  target: { platform: 'linux', arch: 'x64', libc: 'glibc', nodeMajor: 24 },
}

test('the worker is small, and its zip is the same each time', async () => {
  const { bytes, sha256 } = await (await workerCode(parts)).zip({ log })
  expect(bytes.length).toBeLessThan(300 * 1024)
  vi.resetModules()
  const again = await import('../src/worker-code.ts')
  expect((await (await again.workerCode(parts)).zip({ log })).sha256).toBe(sha256)
})

test('the first program deploys, the second asks nothing of the control plane', async () => {
  const aws = await there.start()
  expect(await run(await there.open())).toEqual([2, 4, 6])
  expect(aws.counts).toMatchObject({
    'sts:GetCallerIdentity': 1,
    'lambda:CreateFunction': 1,
    'lambda:PutFunctionEventInvokeConfig': 1,
    'lambda:GetAccountSettings': 1,
  })
  aws.clear()
  expect(await run(await there.open())).toEqual([2, 4, 6])
  expect(aws.counts).toEqual({ 'lambda:Invoke': 3 })
})

test('a program without what others have found out finds the function', async () => {
  const aws = await there.start()
  aws.clear()
  there.newCache()
  expect(await run(await there.open())).toEqual([2, 4, 6])
  expect(aws.counts['lambda:CreateFunction']).toBeUndefined()
})

test('many programs that deploy at once get one function', async () => {
  const aws = await there.start()
  aws.clear()
  const backends = []
  for (let i = 0; i < 6; i++) {
    there.newCache()
    const one = await there.open({ runtime_memory: 300 })
    backends.push(one)
    // each reads its cache when it is first used
    void one.deployRuntime(one.defaultRuntime).catch(() => {})
  }
  const results = await Promise.all(backends.map(one => run(one)))
  expect(results).toEqual(backends.map(() => [2, 4, 6]))
  expect(aws.functionNames.filter(name => name.includes('_300_'))).toHaveLength(1)
})

test('a function that somebody removed is made again, and the calls go on', async () => {
  const aws = await there.start()
  const first = await there.open()
  expect(await run(first)).toEqual([2, 4, 6])
  // one of several that have the same name and memory
  await first.deleteRuntime(first.defaultRuntime, { workerName: 'another' })
  const [listed] = (await first.listRuntimes()).filter(
    one => one.memoryMiB === first.defaultRuntime.memoryMiB,
  )
  expect(listed?.details).toMatchObject({
    node: expect.stringMatching(/^nodejs/),
    timeout: expect.any(String),
  })
  await first.deleteRuntime(first.defaultRuntime, { workerName: listed?.workerName ?? '' })
  there.newCache()
  const other = await there.open()
  await other.deployRuntime(other.defaultRuntime)
  const again = await there.open()
  expect(await run(again)).toEqual([2, 4, 6])
  const { DeleteFunctionCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
  const [runtime] = await again.listRuntimes()
  const client = new LambdaClient(aws.clientConfig)
  await client.send(new DeleteFunctionCommand({ FunctionName: runtime?.workerName ?? '' }))
  client.destroy()
  expect(await run(await there.open())).toEqual([2, 4, 6])
})

test('why a function does not become ready is said in the words of AWS', async () => {
  const aws = await there.start()
  aws.failNextDeployment({ code: 'SubnetOutOfIPAddresses', reason: 'no addresses are left in subnet-1' })
  const backend = await there.open({ runtime_memory: 310 })
  await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_DEPLOY',
    message: expect.stringMatching(/SubnetOutOfIPAddresses.*no addresses are left/),
  })
  await backend.deleteRuntime(backend.defaultRuntime)
})

test('without a role nothing is deployed, and the error says how to get one', async () => {
  const backend = await there.open({ execution_role: undefined, runtime_memory: 320 })
  await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
    code: 'LITHOPS_CONFIG',
    message: expect.stringContaining('--create-role'),
  })
})

test('a role is made when asked, and clean removes all of this user and nothing else', async () => {
  const aws = await there.start()
  const backend = await there.open({ execution_role: undefined, runtime_memory: 330 })
  await backend.deployRuntime(backend.defaultRuntime, { createRole: true })
  const { CreateFunctionCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
  const client = new LambdaClient(aws.clientConfig)
  const { bytes } = await (await workerCode(parts)).zip({ log })
  const others = [
    'lithops-worker-abcd-371-0123456789',
    'lithops_v0-1-0_zzzz_default_256_000000000000',
    'theirs',
  ]
  for (const FunctionName of others) {
    await client.send(
      new CreateFunctionCommand({
        FunctionName,
        Description: FunctionName.includes('zzzz')
          ? 'Lithops for TypeScript, runtime default, version 0.1.0'
          : 'other',
        Runtime: 'nodejs22.x',
        Handler: 'index.handler',
        Role: aws.roleArn,
        Code: { ZipFile: bytes },
      }),
    )
  }
  client.destroy()
  const planned = await backend.clean({ dryRun: true })
  expect(planned).toContain('role lithops-worker-TEST')
  expect(aws.functionNames).toEqual(
    expect.arrayContaining(planned.filter(name => name.startsWith('lithops_v'))),
  )
  expect(await backend.clean()).toEqual(planned)
  expect([...aws.functionNames].sort()).toEqual([...others].sort())
  expect(aws.logGroupNames.filter(name => name.includes('_TEST_'))).toEqual([])
  expect(await backend.clean()).toEqual([])
})

test('secrets are in the variable for them, and nowhere else', async () => {
  const aws = await there.start()
  aws.clear()
  const backend = await there.open({ runtime_memory: 340, user_tags: { team: 'data' } })
  const secret = { storageId: 'minio-1', storageName: 'minio', values: { password: 'very-secret-word' } }
  await backend.deployRuntime(backend.defaultRuntime, { secrets: [secret] })
  expect(await run(backend)).toEqual([2, 4, 6])
  const told = aws.requests.filter(request =>
    JSON.stringify(request.body?.toString()).includes('very-secret-word'),
  )
  expect(told.map(({ action }) => action)).toEqual(['lambda:CreateFunction'])
  const { Environment, Tags } = JSON.parse(String(told[0]?.body)) as {
    Environment: { Variables: Record<string, string> }
    Tags: Record<string, string>
  }
  expect(Object.keys(Environment.Variables)).toEqual(['LITHOPS_SECRETS'])
  expect(Tags).toEqual({ team: 'data' })
  // placed already: it is looked at, and nothing is changed
  aws.clear()
  const again = await there.open({ runtime_memory: 340, user_tags: { team: 'data' } })
  await again.deployRuntime(again.defaultRuntime, { secrets: [secret] })
  expect(aws.counts['lambda:UpdateFunctionConfiguration']).toBeUndefined()
  await again.deployRuntime(again.defaultRuntime, { secrets: [{ ...secret, values: { password: 'other' } }] })
  expect(aws.counts['lambda:UpdateFunctionConfiguration']).toBe(1)
})

test('environment variables that Lambda cannot take are refused before it is asked', async () => {
  const aws = await there.start()
  aws.clear()
  const backend = await there.open({ runtime_memory: 350, env_vars: { LARGE: 'x'.repeat(5000) } })
  await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_DEPLOY',
    message: expect.stringContaining('LARGE 5005'),
  })
  expect(aws.counts['lambda:CreateFunction']).toBeUndefined()
})
