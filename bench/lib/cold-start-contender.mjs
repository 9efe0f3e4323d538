// cold-start-contender.mjs KIND SAMPLES, run by tsx: cold starts on the stand-in of Lambda, under Amazon's own runtime interface
// client. Prints JSON: milliseconds from the start of each process to the first line of user code, and the size of the zip.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [kind, samples] = process.argv.slice(2)
const require = createRequire(new URL('../../packages/backend-aws-lambda/package.json', import.meta.url))
const load = name => import(pathToFileURL(require.resolve(name)).href)

const { FakeAws } = await load('@lithops/fake-clouds/aws')
const { awsLambdaRic } = await load('@lithops/fake-clouds/real-parts')
const missing = awsLambdaRic.missing()
if (missing !== undefined) throw new Error(missing)
const { folder, node } = await awsLambdaRic.start()
const aws = await FakeAws.start({ runtimeInterfaceClient: folder, node, keepBodies: true })
const MEMORY_MIB = 1024

const contenders = {
  /** Nothing but a handler: what Node and the runtime interface client take by themselves. */
  async bare() {
    const { CreateFunctionCommand, InvokeCommand, LambdaClient, waitUntilFunctionActiveV2 } =
      await load('@aws-sdk/client-lambda')
    const { zipSync } = await load('fflate')
    const client = new LambdaClient(aws.clientConfig)
    const code = Buffer.from('export const handler = async () => performance.now()')
    const FunctionName = 'bare'
    await client.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs24.x',
        Role: aws.roleArn,
        Handler: 'index.handler',
        Code: { ZipFile: zipSync({ 'index.mjs': code }) },
        MemorySize: MEMORY_MIB,
        Timeout: 60,
      }),
    )
    await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName })
    return {
      run: async () =>
        Number((await client.send(new InvokeCommand({ FunctionName }))).Payload.transformToString()),
      close: async () => client.destroy(),
    }
  },

  /** A call of a job. */
  async ours() {
    Object.assign(process.env, aws.env)
    const { FunctionExecutor } = await load('@lithops/core')
    const { backend } = await load('../backend-aws-lambda')
    const section = { execution_role: aws.roleArn, runtime: 'nodejs24.x', runtime_memory: MEMORY_MIB }
    const config = { lithops: { backend: 'aws_lambda' }, aws_lambda: section }
    const fexec = new FunctionExecutor({ backend, config })
    return { run: () => fexec.callAsync(() => performance.now(), 0).result(), close: () => fexec.close() }
  },
}

const contender = await contenders[kind]()
const rows = []
try {
  await contender.run()
  for (let i = 0; i < Number(samples); i++) {
    aws.closeFreeEnvironments()
    rows.push(await contender.run())
  }
} finally {
  await contender.close()
  await aws.close()
}
const made = aws.requests.find(({ action }) => action === 'lambda:CreateFunction')
const zipKib = Buffer.from(JSON.parse(String(made.body)).Code.ZipFile, 'base64').length / 1024
console.log(JSON.stringify(rows.map(start => ({ start, zipKib }))))
