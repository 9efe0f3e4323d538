import { buffer } from 'node:stream/consumers'
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  type LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda'
import { ZipFile } from 'yazl'

/** A zip of files by their names; the same files give the same bytes. */
export function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(files)) {
    zip.addBuffer(Buffer.from(content), name, { mtime: new Date(0) })
  }
  zip.end()
  return buffer(zip.outputStream)
}

let count = 0

/** Makes a function of the text of an ES module, waits until it is active, and returns its name. */
export async function makeFunction(
  client: LambdaClient,
  roleArn: string,
  source: string | Readonly<Record<string, string>>,
  settings: Partial<CreateFunctionCommandInput> = {},
): Promise<string> {
  const files = typeof source === 'string' ? { 'index.mjs': source } : source
  const FunctionName = settings.FunctionName ?? `fn-${++count}`
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: roleArn,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Code: { ZipFile: await zipOf(files) },
      MemorySize: 256,
      Timeout: 10,
      ...settings,
    }),
  )
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.2 } as never, {
    FunctionName,
  })
  return FunctionName
}

/** Calls a function, and reads the reply. */
export async function invoke(
  client: LambdaClient,
  FunctionName: string,
  event: unknown = {},
  more: Partial<InvokeCommandInput> = {},
) {
  const answer = await client.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...more }),
  )
  const text = Buffer.from(answer.Payload ?? []).toString()
  return {
    answer,
    requestId: answer.$metadata.requestId,
    reply: text === '' ? undefined : (JSON.parse(text) as unknown),
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
  }
}
