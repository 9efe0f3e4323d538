import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { InvocationError } from '@lithops/core/driver'
import { afterEach, expect, test } from 'vitest'
import { WorkerConnections, type WorkerRequest } from '../src/index.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

/** Something that answers in a worker's place, and what came to it. */
async function answering(answer: Answer) {
  const requests: IncomingMessage[] = []
  const server: Server = createServer((request, response) => {
    requests.push(request)
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => answer(request, response, Buffer.concat(chunks)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, requests, connections: connect({ origin }) }
}

function connect(options: ConstructorParameters<typeof WorkerConnections>[0]): WorkerConnections {
  const connections = new WorkerConnections(options)
  closing.push(() => connections.close())
  return connections
}

const frame = (type: number, payload: string) => {
  const head = Buffer.alloc(5)
  head[0] = type
  head.writeUInt32LE(payload.length, 1)
  return Buffer.concat([head, Buffer.from(payload)])
}
const end = (value: object) => frame(7, JSON.stringify({ ranMs: 1, ...value }))
const own = { 'lithops-worker': '1' }

function run(connections: WorkerConnections, request: Partial<WorkerRequest> = {}) {
  const frames: Uint8Array[] = []
  const onReply = (some: Uint8Array) => frames.push(some)
  return { frames, done: connections.run({ payload: Buffer.from('message'), onReply, ...request }) }
}

test('the message is sent as it is, to the host that is meant', async () => {
  let got = ''
  const { origin, requests } = await answering((_, response, body) => {
    got = body.toString()
    response.writeHead(200, own)
    response.end(Buffer.concat([frame(1, 'a'), frame(6, ''), frame(2, 'b'), end({ ranMs: 12 })]))
  })
  const connections = connect({ origin, host: 'worker.default.example.com' })
  const { done, frames } = run(connections, {
    headers: { authorization: 'Bearer x' },
    heartbeatMs: 500,
    goesOnAlone: true,
  })
  expect(await done).toMatchObject({ ranMs: 12 })
  expect(got).toBe('message')
  expect(Buffer.concat(frames)).toEqual(Buffer.concat([frame(1, 'a'), frame(2, 'b')]))
  expect(requests[0]).toMatchObject({
    method: 'POST',
    url: '/',
    headers: {
      host: 'worker.default.example.com',
      authorization: 'Bearer x',
      'lithops-heartbeat-ms': '500',
      'lithops-on-disconnect': 'finish',
      'content-length': '7',
    },
  })
})

test.each([
  [
    { kind: 'timeout', message: 'late', mayHaveRun: true },
    { code: 'LITHOPS_CALL_TIMEOUT', message: 'late' },
  ],
  [
    { kind: 'memory', message: 'full', mayHaveRun: true },
    { code: 'LITHOPS_CALL_OUT_OF_MEMORY', isRetryable: true },
  ],
  [
    { kind: 'lost', message: 'gone', mayHaveRun: true, details: { exitCode: 3 } },
    { code: 'LITHOPS_WORKER_LOST', details: { exitCode: 3 } },
  ],
  [
    { kind: 'lost', message: 'not started', mayHaveRun: false },
    { code: 'LITHOPS_INVOCATION', mayHaveRun: false },
  ],
  [
    { kind: 'ending', message: 'ends', mayHaveRun: true },
    { code: 'LITHOPS_INVOCATION', mayHaveRun: true, isRetryable: true },
  ],
  [
    { kind: 'new in a later version', message: 'x', mayHaveRun: false },
    { code: 'LITHOPS_INVOCATION', mayHaveRun: false },
  ],
])('an end with %o', async (error, expected) => {
  const { connections } = await answering((_, response) => {
    response.writeHead(200, own)
    response.end(end({ error }))
  })
  await expect(run(connections).done).rejects.toMatchObject(expected)
})

test.each([
  [
    429,
    { 'retry-after': '3' },
    { isThrottled: true, isRetryable: true, mayHaveRun: false, details: { retryAfterMs: 3000 } },
  ],
  [404, {}, { isThrottled: false, isRetryable: true, mayHaveRun: false }],
  [403, {}, { isRetryable: false, mayHaveRun: false, details: { status: 403 } }],
  [302, {}, { isRetryable: false, mayHaveRun: false }],
  [413, {}, { isRetryable: false, code: 'LITHOPS_PAYLOAD_TOO_LARGE' }],
  [502, {}, { isRetryable: true, mayHaveRun: true }],
  [503, { 'retry-after': 'soon' }, { isRetryable: true, mayHaveRun: true, details: { status: 503 } }],
  [504, {}, { isRetryable: true, mayHaveRun: true }],
  // no worker: something on the way has a page of its own
  [200, {}, { isRetryable: false, mayHaveRun: false }],
])('a proxy that answers %i', async (status, headers, expected) => {
  const { connections, requests } = await answering((_, response) => {
    response.writeHead(status, headers)
    response.end(`<html>${'no '.repeat(1000)}`)
  })
  const error = await run(connections).done.catch((thrown: unknown) => thrown)
  expect(error).toMatchObject(expected)
  expect((error as Error).message.length).toBeLessThan(500)
  expect(requests).toHaveLength(1)
})

test('a worker is taken at its word, a proxy is explained by its platform', async () => {
  const { connections } = await answering((request, response) => {
    response.writeHead(503, request.headers.from === 'worker' ? own : {})
    response.end(
      request.headers.from === 'worker'
        ? '{"kind":"ending","message":"ends","mayHaveRun":false}'
        : 'upstream',
    )
  })
  const explain = () => new InvocationError('overloaded', { isThrottled: true })
  await expect(run(connections, { explain, headers: { from: 'worker' } }).done).rejects.toThrow('ends')
  await expect(run(connections, { explain }).done).rejects.toThrow('overloaded')
  await expect(run(connections, { explain: () => undefined }).done).rejects.toThrow(/503.*upstream/)
})

test.each([
  ['in order', (response: ServerResponse) => response.end()],
  ['by a broken connection', (response: ServerResponse) => response.destroy()],
])('an answer that is cut %s tells what it told, and that its calls may have run', async (_, cut) => {
  const { connections, requests } = await answering((_request, response) => {
    response.writeHead(200, own)
    response.write(frame(1, 'a'), () => cut(response))
  })
  const { done, frames } = run(connections)
  await expect(done).rejects.toMatchObject({
    code: 'LITHOPS_INVOCATION',
    mayHaveRun: true,
    isRetryable: true,
  })
  expect(frames).toHaveLength(1)
  expect(requests).toHaveLength(1)
})

test('silence beyond some heartbeats counts as a broken worker', async () => {
  const { connections } = await answering((_, response) => {
    response.writeHead(200, own)
    response.write(frame(6, ''))
  })
  await expect(run(connections, { heartbeatMs: 100 }).done).rejects.toMatchObject({ mayHaveRun: true })
})

test('an answer that does not begin in time may have run', async () => {
  const { connections, requests } = await answering(() => {})
  await expect(run(connections, { startTimeoutMs: 50 }).done).rejects.toMatchObject({ mayHaveRun: true })
  expect(requests).toHaveLength(1)
})

test('a connection that breaks is not tried again', async () => {
  let taken = 0
  const sockets: Socket[] = []
  const server = createTcpServer(socket => {
    taken++
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const connections = connect({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  await expect(run(connections).done).rejects.toMatchObject({ mayHaveRun: true })
  expect(taken).toBe(1)
})

test('where nobody listens nothing has run', async () => {
  const { origin } = await answering(() => {})
  await closing.shift()?.()
  const done = run(connect({ origin })).done
  await expect(done).rejects.toMatchObject({ mayHaveRun: false, details: { errorCode: 'ECONNREFUSED' } })
})

test('who does not wait any more gets the reason, and the other side sees the connection go', async () => {
  const controller = new AbortController()
  let isGone: () => void
  const gone = new Promise<void>(resolve => {
    isGone = resolve
  })
  const { connections } = await answering((_, response) => {
    response.once('close', () => isGone())
    response.writeHead(200, own)
    response.write(frame(1, 'a'))
  })
  const reason = new Error('enough')
  const { done } = run(connections, { signal: controller.signal, onReply: () => controller.abort(reason) })
  await expect(done).rejects.toBe(reason)
  await gone
  await expect(run(connections, { signal: controller.signal }).done).rejects.toBe(reason)
})

test('metadata waits for a worker that starts, and for no other', async () => {
  const facts = {
    protocolVersion: 1,
    lithopsVersion: '0.1.0',
    nodeVersion: 'v24.0.0',
    platform: 'linux',
    arch: 'x64',
  }
  const states = ['starting', 'starting', 'ready', 'ending']
  const { connections, requests } = await answering((request, response) => {
    const state = states.shift()
    if (request.headers.from === 'proxy') response.writeHead(200).end('hello')
    else if (state === undefined) response.writeHead(200, own).end('{}')
    else response.writeHead(state === 'ready' ? 200 : 503, own).end(JSON.stringify({ ...facts, state }))
  })
  expect(await connections.metadata()).toEqual(facts)
  expect(requests).toHaveLength(3)
  await expect(connections.metadata()).rejects.toMatchObject({
    code: 'LITHOPS_INVOCATION',
    mayHaveRun: false,
  })
  await expect(connections.metadata()).rejects.toMatchObject({ code: 'LITHOPS_PROTOCOL' })
  states.push('starting')
  await expect(connections.metadata({ headers: { from: 'proxy' } })).rejects.toMatchObject({
    isRetryable: false,
  })
  states.push(...Array.from({ length: 100 }, () => 'starting'))
  await expect(connections.metadata({ startTimeoutMs: 120 })).rejects.toThrow('was not ready in 0.12 s')
})
