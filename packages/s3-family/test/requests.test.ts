import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StorageError } from '@lithops/core/driver'
import { afterEach, expect, test } from 'vitest'
import { openEndpointStorage, type S3Service } from '../src/index.ts'

// What is sent, as a service sees it; what services do with it is tried on real ones in each driver's package.

const SERVICE: S3Service = {
  takesChecksums: false,
  expiresUploads: false,
  completesConditionally: true,
  presignsUrls: true,
}
let close: () => Promise<void> = async () => {}
afterEach(() => close())

async function open(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  service: Partial<S3Service> = {},
  idleTimeoutMs = 30_000,
) {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    answer(request, response, body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const storage = openEndpointStorage(
    'test',
    {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      access_key_id: 'A',
      secret_access_key: 'S',
      region: 'somewhere',
    },
    { service: { ...SERVICE, ...service }, idleTimeoutMs },
  )
  close = async () => {
    await storage.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return storage
}

test('checksums: CRC32 where the service knows it, Content-MD5 where S3 demands one, else none', async () => {
  const seen: IncomingMessage[] = []
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request)
    response.end(request.method === 'POST' ? '<DeleteResult/>' : '')
  }
  const old = await open(answer)
  await old.putObject('b', 'k', new Uint8Array(3))
  await old.deleteObjects('b', ['k'])
  expect(Object.keys(seen[0]?.headers ?? {}).filter(name => /checksum|md5/.test(name))).toEqual([])
  expect(Object.keys(seen[1]?.headers ?? {}).filter(name => /checksum|md5/.test(name))).toEqual([
    'content-md5',
  ])
  await close()
  seen.length = 0
  const current = await open(answer, { takesChecksums: true })
  await current.putObject('b', 'k', new Uint8Array(3))
  await current.deleteObjects('b', ['k'])
  for (const { headers } of seen) expect(headers['x-amz-checksum-crc32']).toBeTypeOf('string')
})

test('a bucket is made where the service is told, and nowhere by default', async () => {
  const bodies: string[] = []
  const answer = (request: IncomingMessage, response: ServerResponse, body: string) => {
    bodies.push(`${String(request.headers['x-instance'])} ${body}`)
    response.end()
  }
  await (await open(answer)).createBucket('b')
  await close()
  const placed = await open(answer, { locationConstraint: 'eu', bucketHeaders: { 'x-instance': '7' } })
  await placed.createBucket('b')
  expect(bodies[0]).toBe('undefined ')
  expect(bodies[1]).toMatch(/^7 .*<LocationConstraint>eu<\/LocationConstraint>/)
})

test('a service that falls silent is an error that may pass: before an answer, and in the middle of one', async () => {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.includes('silent')) return
    response.writeHead(200, { 'content-length': '1000' })
    response.write(Buffer.alloc(10))
  }
  const storage = await open(answer, {}, 200)
  for (const key of ['silent', 'stops']) {
    const error = await storage.getObject('b', key).catch((reason: unknown) => reason)
    expect(StorageError.isInstance(error) && error.isRetryable, `${key}: ${String(error)}`).toBe(true)
  }
})

test('one of many keys that cannot be removed is an error with its key', async () => {
  const storage = await open((_request, response) => {
    response.end(
      '<DeleteResult><Error><Key>k2</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>',
    )
  })
  const error = await storage.deleteObjects('b', ['k1', 'k2']).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'LITHOPS_STORAGE_ACCESS', details: { key: 'k2', bucket: 'b' } })
})

test('the config for workers has no secret, and the secrets have no more', async () => {
  const storage = await open(() => {})
  expect(JSON.stringify(storage.workerConfig())).not.toContain('"S"')
  expect(storage.workerSecrets()).toEqual({ access_key_id: 'A', secret_access_key: 'S' })
  expect(storage.workerConfig()).toMatchObject({ region: 'somewhere', storage_bucket: storage.defaultBucket })
})
