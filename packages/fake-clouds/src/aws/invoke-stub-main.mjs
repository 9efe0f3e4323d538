// The program of the Invoke stub: a TLS and a plain server that answer calls after a delay, and nothing else. Prints one
// line of JSON { https, http, certificate, pid } and ends when its input ends.
//
//   node invoke-stub-main.mjs '{"delayMs":50,"reply":"file:///…/reply.mjs"}'
//
// The module of `reply` exports reply(body, headers), which returns the body of the answer, and may export other(url), which
// answers what is no invocation; undefined: the operation is not known.

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { generate } from 'selfsigned'

const BACKLOG = 4096
const KEEP_ALIVE_MS = 120_000
const { delayMs = 50, reply: replyModule } = JSON.parse(process.argv[2] ?? '{}')
const { reply = () => '{}', other = () => undefined } =
  replyModule === undefined ? {} : await import(replyModule)

let requests = 0
let connections = 0
let running = 0
let peakConcurrency = 0
let bodyBytes = 0
let firstAt = 0
let lastAt = 0
let cpu = process.cpuUsage()

const { private: key, cert: certificate } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keySize: 2048,
  algorithm: 'sha256',
  extensions: [
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ],
})
const servers = [
  [createTlsServer({ key, cert: certificate }, answer), 'secureConnection'],
  [createServer(answer), 'connection'],
]
const [https, http] = await Promise.all(
  servers.map(([server, event]) => {
    server.keepAliveTimeout = KEEP_ALIVE_MS
    server.requestTimeout = 0
    server.on(event, () => connections++)
    return new Promise(resolve => {
      server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => resolve(server.address().port))
    })
  }),
)
process.stdin
  .resume()
  .on('end', () => process.exit())
  .on('error', () => process.exit())
console.log(JSON.stringify({ https, http, certificate, pid: process.pid }))

function answer(request, response) {
  if (request.url === '/stats') return void response.end(JSON.stringify(takeStats()))
  if (request.method !== 'POST' || !/\/functions\/[^/]+\/invocations$/.test(request.url)) {
    const content = other(request.url)
    if (content !== undefined) return void response.end(content)
    response.writeHead(404, { 'x-amzn-errortype': 'UnknownOperationException' }).end('{}')
    return
  }
  lastAt = performance.now()
  if (requests++ === 0) firstAt = lastAt
  if (++running > peakConcurrency) peakConcurrency = running
  const pieces = []
  request.on('data', piece => pieces.push(piece))
  request.on('end', () => setTimeout(() => finish(request, response, Buffer.concat(pieces)), delayMs))
}

function finish(request, response, body) {
  running--
  bodyBytes += body.length
  const isEvent = request.headers['x-amz-invocation-type'] === 'Event'
  const content = isEvent ? '' : reply(body, request.headers)
  response.writeHead(isEvent ? 202 : 200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(content),
    'x-amzn-RequestId': randomUUID(),
    'x-amz-executed-version': '$LATEST',
  })
  response.end(content)
}

/** Counters since the last time that they were taken. */
function takeStats() {
  const { user, system } = process.cpuUsage(cpu)
  const stats = {
    requests,
    connections,
    peakConcurrency,
    bodyBytes,
    arrivalSpanMs: lastAt - firstAt,
    cpuMs: (user + system) / 1000,
  }
  requests = connections = peakConcurrency = bodyBytes = firstAt = lastAt = 0
  cpu = process.cpuUsage()
  return stats
}
