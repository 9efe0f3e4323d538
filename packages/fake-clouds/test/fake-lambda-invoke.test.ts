import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeAws } from '../src/aws/index.ts'
import { awsLambdaRic } from '../src/real-parts/index.ts'
import { invoke, makeFunction } from './fake-aws-functions.ts'

/** What runs the functions: each must give the same. */
const RUNTIMES = [
  { name: 'a loop of the Runtime API', missing: undefined, options: async () => ({}) },
  {
    name: awsLambdaRic.name,
    missing: awsLambdaRic.missing(),
    options: async () => {
      const { folder, node } = await awsLambdaRic.start()
      return { runtimeInterfaceClient: folder, node }
    },
  },
]

describe.each(RUNTIMES)('under $name', runtime => {
  const { missing, options } = runtime
  let aws: FakeAws
  let client: LambdaClient
  beforeAll(async () => {
    aws = await FakeAws.start(missing === undefined ? await options() : {})
    client = new LambdaClient({ ...aws.clientConfig, maxAttempts: 1 })
  })
  beforeEach(context => {
    if (missing !== undefined) context.skip(missing)
  })
  afterAll(async () => {
    client.destroy()
    await aws.close()
  })
  const make = (
    source: Parameters<typeof makeFunction>[2],
    settings: Parameters<typeof makeFunction>[3] = {},
  ) => makeFunction(client, aws.roleArn, source, settings)

  describe('a call', () => {
    test('runs the zip in a process, with event, context and environment as on Lambda', async () => {
      const whole = await make(
        {
          'index.mjs': `import { helper } from './lib/helper.mjs'
          export const handler = async (event, context) => ({ event, helped: helper(), context,
            left: context.getRemainingTimeInMillis(), env: process.env, cwd: process.cwd() })`,
          'lib/helper.mjs': 'export const helper = () => 42',
        },
        { Environment: { Variables: { MINE: 'yes' } } },
      )
      const { reply: seen, requestId, answer } = await invoke(client, whole, { a: [1, 'é'] })
      expect(answer.FunctionError).toBeUndefined()
      expect(answer.ExecutedVersion).toBe('$LATEST')
      expect(seen).toMatchObject({
        event: { a: [1, 'é'] },
        helped: 42,
        context: {
          awsRequestId: requestId,
          functionName: whole,
          memoryLimitInMB: '256',
          logGroupName: `/aws/lambda/${whole}`,
          invokedFunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:${whole}`,
        },
        env: {
          MINE: 'yes',
          AWS_LAMBDA_FUNCTION_NAME: whole,
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
          AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
          AWS_REGION: 'us-east-1',
          _HANDLER: 'index.handler',
          AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
          AWS_SESSION_TOKEN: expect.any(String),
        },
      })
      const { left } = seen as { left: number }
      expect(left).toBeGreaterThan(5_000)
      expect(left).toBeLessThanOrEqual(10_000)
    })

    test('uses an environment again, one call at a time', async () => {
      const name = await make(
        'let calls = 0; export const handler = async ms => { await new Promise(r => setTimeout(r, ms)); return [process.pid, ++calls] }',
      )
      const [pid, first] = (await invoke(client, name, 0)).reply as number[]
      expect(first).toBe(1)
      expect((await invoke(client, name, 0)).reply).toEqual([pid, 2])
      const both = await Promise.all([invoke(client, name, 150), invoke(client, name, 150)])
      const pids = both.map(({ reply }) => (reply as number[])[0])
      expect(new Set(pids).size).toBe(2)
      expect(pids).toContain(pid)
      aws.closeFreeEnvironments()
      const [other, one] = (await invoke(client, name, 0)).reply as number[]
      expect(pids).not.toContain(other)
      expect(one).toBe(1)
    })

    test('is frozen between calls', async () => {
      const name = await make(
        `let ticks = 0; setInterval(() => ticks++, 5)
       export const handler = async ms => { const before = ticks; await new Promise(r => setTimeout(r, ms)); return [before, ticks] }`,
      )
      const [, ticks] = (await invoke(client, name, 100)).reply as number[]
      expect(ticks).toBeGreaterThan(3)
      // other work of this test's process while that environment is stopped
      const busy = await make('export const handler = async ms => new Promise(r => setTimeout(r, ms))')
      await invoke(client, busy, 400)
      const [before] = (await invoke(client, name, 0)).reply as number[]
      expect(before).toBeLessThanOrEqual((ticks as number) + 3)
    })

    test('logs between the lines of Lambda; the tail comes back', async () => {
      const name = await make(
        "export const handler = async () => { console.log('hello', { a: 1 }); console.error('two\\nlines'); return 1 }",
      )
      const { log, requestId } = await invoke(client, name, {}, { LogType: 'Tail' })
      const lines = log.trimEnd().split('\n')
      expect(lines[0]).toBe(`START RequestId: ${requestId} Version: $LATEST`)
      expect(lines[1]).toMatch(new RegExp(`^\\d{4}-.*Z\\t${requestId}\\tINFO\\thello \\{ a: 1 \\}$`))
      expect(lines[2]).toMatch(/\tERROR\ttwo\rlines$/)
      expect(lines[3]).toBe(`END RequestId: ${requestId}`)
      expect(lines[4]).toMatch(
        /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms$/,
      )
      expect((await invoke(client, name, {}, { LogType: 'Tail' })).log).not.toContain('Init Duration')
      const long = await make(
        "export const handler = async () => { for (let i = 0; i < 999; i++) console.log('line', i) }",
      )
      const { log: tail } = await invoke(client, long, {}, { LogType: 'Tail' })
      expect(Buffer.byteLength(tail)).toBe(4096)
      expect(tail).toContain('line 998')
    })
  })

  describe('what fails', () => {
    test('a module or a handler that is missing', async () => {
      const source = "import './missing.mjs'; export const handler = async () => 1"
      const errorOf = async (name: string) =>
        ((await invoke(client, name)).reply as { readonly errorType: string }).errorType
      expect(await errorOf(await make(source))).toBe('Error')
      expect(await errorOf(await make(source, { Handler: 'none.handler' }))).toBe('Runtime.ImportModuleError')
      const other = await make('export const handler = async () => 1', { Handler: 'index.other' })
      expect(await errorOf(other)).toBe('Runtime.HandlerNotFound')
    })

    test('an error of the function', async () => {
      const name = await make("export const handler = async () => { throw new RangeError('too far') }")
      const { answer, reply } = await invoke(client, name)
      expect(answer.StatusCode).toBe(200)
      expect(answer.FunctionError).toBe('Unhandled')
      expect(reply).toMatchObject({
        errorType: 'RangeError',
        errorMessage: 'too far',
        trace: expect.any(Array),
      })
    })

    test('the time limit: all is killed, and the next call begins anew with the same /tmp', async () => {
      const name = await make(
        `import { appendFileSync, readFileSync } from 'node:fs'; import { tmpdir } from 'node:os'
       export const handler = async hang => {
         appendFileSync(tmpdir() + '/seen', 'x')
         if (hang) { console.log('hanging'); for (;;); }
         return [process.pid, readFileSync(tmpdir() + '/seen', 'utf8')]
       }`,
        { Timeout: 1 },
      )
      const [pid] = (await invoke(client, name, false)).reply as [number]
      const { answer, reply, requestId, log } = await invoke(client, name, true, { LogType: 'Tail' })
      expect(answer.FunctionError).toBe('Unhandled')
      expect(reply).toEqual({
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
      })
      expect(log).toMatch(/hanging\n.*Task timed out after 1.00 seconds\n/)
      expect(log).toMatch(/\tStatus: timeout\t\n$/)
      expect(() => process.kill(pid, 0)).toThrow()
      const [next, seen] = (await invoke(client, name, false)).reply as [number, string]
      expect(next).not.toBe(pid)
      expect(seen).toBe('xxx')
    })

    test('too much memory', async () => {
      const name = await make(
        'const kept = []; export const handler = async () => { for (;;) { kept.push(Buffer.alloc(8e6, 1)); await new Promise(r => setTimeout(r, 5)) } }',
        { MemorySize: 128 },
      )
      const { reply, requestId, log } = await invoke(client, name, {}, { LogType: 'Tail' })
      expect(reply).toEqual({
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
      })
      expect(log).toContain('Max Memory Used: 128 MB')
      expect(log).toContain('Status: error\tError Type: Runtime.ExitError')
    })

    test.each([
      [0, 'Runtime exited without providing a reason'],
      [7, 'Runtime exited with error: exit status 7'],
    ])('a process that exits with %i', async (code, words) => {
      const name = await make(`export const handler = async () => process.exit(${code})`)
      const { reply, requestId } = await invoke(client, name)
      expect(reply).toEqual({
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${requestId} Error: ${words}`,
      })
    })

    test('what fails while a module is loaded: it is loaded once more within the call', async () => {
      const name = await make(
        `import { appendFileSync, readFileSync } from 'node:fs'; import { tmpdir } from 'node:os'
       appendFileSync(tmpdir() + '/loads', 'x')
       throw new Error('loads: ' + readFileSync(tmpdir() + '/loads', 'utf8'))`,
      )
      const { answer, reply } = await invoke(client, name)
      expect(answer.FunctionError).toBe('Unhandled')
      expect(reply).toMatchObject({ errorType: 'Error', errorMessage: 'loads: xx' })
    })

    test('a handler with a callback, from Node 24 on', async () => {
      const source = 'export const handler = (event, context, callback) => callback(null, event)'
      const { reply } = await invoke(client, await make(source, { Runtime: 'nodejs24.x' }), 5)
      expect(reply).toMatchObject({ errorType: 'Runtime.CallbackHandlerDeprecated' })
      // aws-lambda-ric 4 is the client of Node 24's runtime and has no other way
      if (runtime !== RUNTIMES[0]) return
      expect((await invoke(client, await make(source, { Runtime: 'nodejs22.x' }), 5)).reply).toBe(5)
    })
  })

  describe('limits of size', () => {
    test('replies up to 6 MB and some', async () => {
      const name = await make('export const handler = async n => "x".repeat(n)', { MemorySize: 512 })
      expect((await invoke(client, name, 6_291_554)).reply).toHaveLength(6_291_554)
      const { answer, reply } = await invoke(client, name, 6_291_555)
      expect(answer.FunctionError).toBe('Unhandled')
      expect(reply).toEqual({
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      })
      expect((await invoke(client, name, 1)).reply).toBe('x')
    })

    test('events up to 6 MB, asynchronous ones up to 1 MB', async () => {
      const name = await make('export const handler = async text => text.length', { MemorySize: 512 })
      expect((await invoke(client, name, 'x'.repeat(6 * 1024 ** 2 - 2))).reply).toBe(6 * 1024 ** 2 - 2)
      await expect(invoke(client, name, 'x'.repeat(6 * 1024 ** 2 - 1))).rejects.toMatchObject({
        name: 'RequestTooLargeException',
        $metadata: { httpStatusCode: 413 },
        message:
          '6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)',
      })
      const event = { InvocationType: 'Event' } as const
      expect((await invoke(client, name, 'x'.repeat(1024 ** 2 - 2), event)).answer.StatusCode).toBe(202)
      await expect(invoke(client, name, 'x'.repeat(1024 ** 2 - 1), event)).rejects.toMatchObject({
        name: 'RequestTooLargeException',
      })
    })
  })
})

test('nothing is left after close', async () => {
  const other = await FakeAws.start()
  const lambda = new LambdaClient({ ...other.clientConfig, maxAttempts: 1 })
  const name = await makeFunction(
    lambda,
    other.roleArn,
    `import { spawn } from 'node:child_process'
     export const handler = async hang => hang ? new Promise(() => setTimeout(() => {}, 1e6))
       : [process.pid, spawn('sleep', ['1000'], { detached: true }).pid]`,
  )
  const pids = (await invoke(lambda, name, false)).reply as number[]
  const hanging = invoke(lambda, name, true).catch(() => 'cut')
  await expect.poll(() => other.environments.busy).toBe(1)
  const folder = String(other.folder)
  expect(readdirSync(folder).length).toBeGreaterThan(0)
  await other.close()
  await other.close()
  lambda.destroy()
  await hanging
  expect(existsSync(folder)).toBe(false)
  for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false)
})

/** What has ended and waits for its parent to look does not count. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
