import { createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HttpAgents } from './http-agents.ts'

let server: Server
beforeEach(async () => {
  server = createServer((request, response) => {
    // what an idle connection may last is shorter than what a request may take
    response.setHeader('keep-alive', 'timeout=1')
    if (request.url === '/silent') return
    setTimeout(() => response.end('done'), request.url === '/slow' ? 1_500 : 0)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

function ask(agents: HttpAgents, path: string): Promise<string> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path, agent: agents.http }, async response => {
      let text = ''
      for await (const piece of response) text += piece
      resolve(text)
    })
    request.on('error', reject)
  })
}

test('a connection that is silent for too long is cut, and the error says so', async () => {
  const agents = new HttpAgents({ idleTimeoutMs: 100 })
  await expect(ask(agents, '/silent')).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    message: 'the connection was silent for 100 ms',
  })
  agents.close()
})

test('a request may take longer than an idle connection lasts', async () => {
  const agents = new HttpAgents({ idleTimeoutMs: 30_000 })
  expect(await ask(agents, '/quick')).toBe('done')
  expect(await ask(agents, '/slow')).toBe('done')
  agents.close()
  agents.close()
})
