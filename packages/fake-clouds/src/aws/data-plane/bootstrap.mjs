// What runs a function where aws-lambda-ric is not installed: the loop of the Runtime API, loading and reporting as
// Node's runtime of Lambda does.
//
//   node bootstrap.mjs <handler>

import { existsSync, writeSync } from 'node:fs'
import { Agent, request } from 'node:http'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'

const [handlerName = process.env._HANDLER ?? ''] = process.argv.slice(2)
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let requestId = 'undefined'

for (const [method, level] of [
  ['trace', 'TRACE'],
  ['debug', 'DEBUG'],
  ['log', 'INFO'],
  ['info', 'INFO'],
  ['warn', 'WARN'],
  ['error', 'ERROR'],
]) {
  // one event of the log for each call: line breaks become carriage returns
  console[method] = (...values) => {
    const text = format(...values).replaceAll('\n', '\r')
    write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`)
  }
}

process.on('uncaughtException', error => void fail(error, 129))
process.on('unhandledRejection', reason => {
  const error = new Error(String(reason?.message ?? reason))
  error.name = 'Runtime.UnhandledPromiseRejection'
  error.stack = reason?.stack ?? error.stack
  void fail(error, 128)
})

let isInitialized = false
const handler = await load().catch(error => fail(error, 1))
isInitialized = true
for (;;) await serve()

async function load() {
  const { name, dir } = path.parse(handlerName)
  const [moduleName, ...members] = name === '' ? [''] : path.basename(handlerName).split('.')
  if (members.length === 0) throw runtimeError('MalformedHandlerName', 'Bad handler')
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT, dir, moduleName)
  const file = ['', '.js', '.mjs', '.cjs'].map(extension => base + extension).find(isFile)
  if (file === undefined) throw runtimeError('ImportModuleError', `Error: Cannot find module '${moduleName}'`)
  let module
  try {
    module = await import(pathToFileURL(file))
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError('UserCodeSyntaxError', String(error), error)
    // only what `require` misses has a name of its own there
    if (error?.code === 'MODULE_NOT_FOUND') throw runtimeError('ImportModuleError', String(error), error)
    throw error
  }
  const found = members.reduce((value, member) => value?.[member], module) ?? module.default?.[members[0]]
  if (found === undefined) {
    throw runtimeError('HandlerNotFound', `${handlerName} is undefined or not exported`)
  }
  if (typeof found !== 'function') throw runtimeError('HandlerNotFound', `${handlerName} is not a function`)
  if (found.length >= 3 && isCallbackRuntime() === false) {
    throw runtimeError(
      'CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. To use this runtime, update your handler to use async/await.',
    )
  }
  return found
}

function isFile(file) {
  return existsSync(file) && path.extname(file) !== ''
}

function isCallbackRuntime() {
  const major = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 0)
  return major < 24
}

/** All of it, before the process may be stopped. A stream would keep what the pipe does not take at once. */
function write(text) {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (error.code !== 'EAGAIN') return
    }
  }
}

async function serve() {
  const { headers, body } = await call('GET', 'invocation/next')
  requestId = headers['lambda-runtime-aws-request-id']
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? ''
  const id = requestId
  try {
    const result = await run(JSON.parse(body.toString()), contextOf(headers))
    await call('POST', `invocation/${id}/response`, JSON.stringify(result === undefined ? null : result))
  } catch (error) {
    console.error('Invoke Error ', JSON.stringify(describe(error)))
    await call('POST', `invocation/${id}/error`, JSON.stringify(describe(error)), 'Unhandled')
  }
}

function run(event, context) {
  if (handler.length < 3) return handler(event, context)
  return new Promise((resolve, reject) => {
    const result = handler(event, context, (error, value) => (error == null ? resolve(value) : reject(error)))
    if (typeof result?.then === 'function') result.then(resolve, reject)
  })
}

function contextOf(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms'])
  const clientContext = headers['lambda-runtime-client-context']
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  }
}

/** Reports what nothing in the function caught, and ends. */
async function fail(error, code) {
  const body = JSON.stringify(describe(error))
  if (isInitialized) {
    console.error('Uncaught Exception ', body)
    await call('POST', `invocation/${requestId}/error`, body, error?.name ?? 'Error').catch(() => {})
  } else {
    console.error('Uncaught Exception ', body)
    await call('POST', 'init/error', body, error?.name ?? 'Error').catch(() => {})
  }
  process.exit(code)
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  }
}

function runtimeError(name, message, cause) {
  const error = new Error(message, { cause })
  error.name = `Runtime.${name}`
  if (cause?.stack !== undefined) error.stack = `Runtime.${name}: ${cause.stack}`
  return error
}

function call(method, what, body, errorType) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        agent,
        method,
        path: `/2018-06-01/runtime/${what}`,
        headers: {
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
          ...(errorType !== undefined && { 'lambda-runtime-function-error-type': errorType }),
        },
      },
      response => {
        const pieces = []
        response.on('data', piece => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(pieces) }))
      },
    )
    // the other side is gone: so is this environment
    outgoing.on('error', () => process.exit(1))
    outgoing.end(body)
  })
}
