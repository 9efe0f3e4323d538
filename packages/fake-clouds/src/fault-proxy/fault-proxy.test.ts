import { createServer, get, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FaultProxy } from './fault-proxy.ts'
import { answer, cutRequest, cutResponse, delay, loseAnswer, refuse, skewedClock, stall } from './faults.ts'
import { s3Faults } from './s3-answers.ts'
import { TcpFaultProxy } from './tcp-fault-proxy.ts'

const BYTES = 300_000
let service: Server
let proxy: FaultProxy
/** What the service received whole. */
let received: { url: string; host: string; bytes: number }[]

beforeEach(async () => {
  received = []
  service = createServer(async (request, response) => {
    let bytes = 0
    try {
      for await (const piece of request) bytes += piece.length
    } catch {
      return
    }
    received.push({ url: String(request.url), host: String(request.headers.host), bytes })
    response.setHeader('x-odd-Header', 'kept')
    response.end(Buffer.alloc(BYTES, 7))
  })
  await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve))
  proxy = await FaultProxy.start({ target: `http://127.0.0.1:${(service.address() as AddressInfo).port}` })
})

afterEach(async () => {
  await proxy.close()
  await proxy.close()
  service.closeAllConnections()
  await new Promise(resolve => service.close(resolve))
})

const read = async (path = '/a%20b?x=1', init: RequestInit = {}) => {
  const response = await fetch(proxy.url + path, init)
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) }
}
const upload = (bytes: number) => read('/up', { method: 'PUT', body: new Uint8Array(bytes) })

test('passes requests and answers on as they are', async () => {
  const { response, bytes } = await upload(1_000_000)
  expect(bytes.length).toBe(BYTES)
  expect(response.headers.get('x-odd-header')).toBe('kept')
  await read()
  expect(received).toEqual([
    { url: '/up', host: new URL(proxy.url).host, bytes: 1_000_000 },
    { url: '/a%20b?x=1', host: new URL(proxy.url).host, bytes: 0 },
  ])
  expect(proxy.requests.map(({ method, status, sentBytes }) => [method, status, sentBytes])).toEqual([
    ['PUT', 200, 1_000_000],
    ['GET', 200, 0],
  ])
})

test('answers by itself', async () => {
  const fault = proxy.inject(s3Faults.throttled(3), { method: 'GET' })
  const { response, bytes } = await read()
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3'])
  expect(Buffer.from(bytes).toString()).toContain('<Code>TooManyRequests</Code>')
  expect(received).toEqual([])
  expect(fault.strikes).toBe(1)
  expect((await read()).response.status).toBe(200)
  proxy.inject(answer(503))
  expect((await upload(100_000)).response.status).toBe(503)
})

test('cuts answers in the middle, after exactly so many bytes', async () => {
  proxy.inject(cutResponse(100_001))
  const response = await fetch(proxy.url)
  let got = 0
  const reading = (async () => {
    for await (const piece of response.body!) got += piece.length
  })()
  await expect(reading).rejects.toThrow()
  expect(got).toBe(100_001)
})

test('cuts requests in the middle: the service never has them whole', async () => {
  proxy.inject(cutRequest(50_000))
  await expect(upload(5_000_000)).rejects.toThrow()
  expect(proxy.requests[0]).toMatchObject({ sentBytes: 50_000, status: 0 })
  expect(received).toEqual([])
})

test('loses answers of what was done, and refuses before anything is done', async () => {
  proxy.inject(loseAnswer())
  await expect(upload(10)).rejects.toThrow()
  expect(received).toHaveLength(1)
  proxy.inject(refuse())
  await expect(upload(10)).rejects.toThrow()
  expect(received).toHaveLength(1)
})

test('stalls, and notices a client that leaves', async () => {
  proxy.inject(stall(1000))
  let got = 0
  const leaving = get(proxy.url, { agent: false }, response => {
    response.on('error', () => {})
    response.on('data', piece => (got += piece.length))
  })
  leaving.on('error', () => {})
  await expect.poll(() => got).toBe(1000)
  expect(proxy.openConnections).toBe(1)
  leaving.destroy()
  await expect.poll(() => proxy.openConnections).toBe(0)
})

test('delays, and shows another clock', async () => {
  proxy.inject(delay(60))
  const start = performance.now()
  await read()
  expect(performance.now() - start).toBeGreaterThan(55)
  proxy.inject(skewedClock(-3_600_000))
  const date = Date.parse(String((await read()).response.headers.get('date')))
  expect(Math.abs(date + 3_600_000 - Date.now())).toBeLessThan(5_000)
})

test('strikes those requests that it is for', async () => {
  const fault = proxy.inject(answer(500), { method: 'GET', url: /x=1/, skip: 1, every: 2, times: 2 })
  const statuses: number[] = []
  for (let i = 0; i < 8; i++) {
    await upload(1)
    await read('/other')
    statuses.push((await read()).response.status)
  }
  expect(statuses).toEqual([200, 200, 500, 200, 500, 200, 200, 200])
  expect(fault.strikes).toBe(2)
  proxy.clear()
  expect(proxy.requests).toEqual([])
})

test('a proxy for bytes cuts a connection after so many', async () => {
  const echo = createTcpServer(socket => socket.on('error', () => {}).pipe(socket))
  await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve))
  await using tcp = await TcpFaultProxy.start({ port: (echo.address() as AddressInfo).port })
  const talk = (bytes: number) =>
    new Promise<number>((resolve, reject) => {
      let got = 0
      const socket = connect(tcp.port, tcp.host, () => socket.write(Buffer.alloc(bytes)))
      socket.on('data', piece => {
        got += piece.length
        if (got === bytes) socket.destroy()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(got))
    })
  expect(await talk(100_000)).toBe(100_000)
  tcp.inject({ kind: 'cut', direction: 'toClient', afterBytes: 70_000 })
  expect(await talk(100_000)).toBe(70_000)
  expect(tcp.strikes).toBe(1)
  tcp.refuse()
  await expect(talk(1)).rejects.toThrow()
  tcp.clear()
  expect(await talk(10)).toBe(10)
  await expect.poll(() => tcp.openConnections).toBe(0)
  await new Promise(resolve => echo.close(resolve))
})
