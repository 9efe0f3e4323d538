import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { expect, test } from 'vitest'
import { InvokeStub } from '../src/aws/invoke-stub.ts'

test('answers calls of the SDK over TLS, all at once, and counts them', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'invoke-stub-'))
  const module = path.join(folder, 'reply.mjs')
  writeFileSync(module, 'export const reply = body => \'{"got":\' + body + "}"')
  await using stub = await InvokeStub.start({ delayMs: 200, reply: pathToFileURL(module) })
  const client = new LambdaClient({
    endpoint: stub.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    requestHandler: { httpsAgent: new Agent({ ca: stub.certificate, keepAlive: true, maxSockets: 20 }) },
  })
  const call = (InvocationType: 'RequestResponse' | 'Event') =>
    client.send(new InvokeCommand({ FunctionName: 'any', InvocationType, Payload: '7' }))
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('RequestResponse')))
  expect(answers.map(({ Payload }) => Payload?.transformToString())).toEqual(Array(20).fill('{"got":7}'))
  expect((await call('Event')).StatusCode).toBe(202)
  const stats = await stub.takeStats()
  expect(stats).toMatchObject({ requests: 21, bodyBytes: 21 })
  expect(stats.peakConcurrency).toBeGreaterThan(1)
  expect(stats.connections).toBeLessThanOrEqual(21)
  expect((await stub.takeStats()).requests).toBe(0)
  await stub.close()
  await stub.close()
  client.destroy()
  await expect(fetch(stub.httpUrl)).rejects.toThrow()
  rmSync(folder, { recursive: true })
})

test('says when it cannot start', async () => {
  const reply = pathToFileURL('/no/such/reply.mjs')
  await expect(InvokeStub.start({ reply })).rejects.toThrow('the Invoke stub ended with 1')
})
