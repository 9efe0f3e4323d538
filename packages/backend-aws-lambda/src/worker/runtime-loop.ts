import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LambdaContext, LambdaEvent } from './handler.ts'

// What a container image runs: the loop of Lambda's Runtime API. Amazon's own, aws-lambda-ric, has a native half that every
// image would have to build. From: "Using the Lambda runtime API",
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

type Handler = (event: LambdaEvent, context: LambdaContext) => Promise<unknown>

const API = process.env.AWS_LAMBDA_RUNTIME_API
/** Beside this program. */
const HANDLER = pathToFileURL(join(dirname(process.argv[1] as string), 'index.mjs'))
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

if (API === undefined) {
  process.stderr.write('This image is a worker of AWS Lambda: AWS_LAMBDA_RUNTIME_API is not set.\n')
  process.exit(1)
}
void run()

async function run(): Promise<never> {
  const handler = await load()
  for (;;) await serve(handler)
}

async function load(): Promise<Handler> {
  try {
    return ((await import(HANDLER.href)) as { handler: Handler }).handler
  } catch (error) {
    await call('POST', 'init/error', described(error))
    process.exit(1)
  }
}

async function serve(handler: Handler): Promise<void> {
  const { headers, body } = await call('GET', 'invocation/next')
  const id = headers['lambda-runtime-aws-request-id']
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms'])
  try {
    const result = await handler(JSON.parse(body.toString('utf8')) as LambdaEvent, {
      getRemainingTimeInMillis: () => deadlineMs - Date.now(),
    })
    await call('POST', `invocation/${id}/response`, JSON.stringify(result ?? null))
  } catch (error) {
    await call('POST', `invocation/${id}/error`, described(error))
  }
}

function described(error: unknown): string {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  return JSON.stringify({ errorType: name, errorMessage: message, stackTrace: stack?.split('\n') ?? [] })
}

function call(
  method: 'GET' | 'POST',
  what: string,
  body?: string,
): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const outgoing = request(`http://${API}/2018-06-01/runtime/${what}`, { agent, method, headers })
    outgoing.once('response', response => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.once('error', reject)
      response.once('end', () => resolve({ headers: response.headers, body: Buffer.concat(pieces) }))
    })
    // the other side is gone: so is this environment
    outgoing.once('error', () => process.exit(1))
    outgoing.end(body)
  })
}
