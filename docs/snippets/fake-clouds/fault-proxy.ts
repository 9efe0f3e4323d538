import assert from 'node:assert/strict'
import { Storage } from '@lithops/core'
import { cutResponse, FaultProxy, s3Faults } from '@lithops/fake-clouds/fault-proxy'

await using proxy = await FaultProxy.start({ target: 'http://127.0.0.1:9000' }) // the real service
const minio = { endpoint: proxy.url, access_key_id: 'key', secret_access_key: 'secret' }
await using storage = new Storage({ backend: 'minio', config: { minio } })
const cuts = proxy.inject(cutResponse(100_000), { method: 'GET', every: 10, times: Number.POSITIVE_INFINITY })
proxy.inject(s3Faults.slowDown(), { method: 'PUT', url: /partNumber=2/ })
await storage.get('large') // and whatever else is to be tried
assert.ok(cuts.strikes > 0) // a fault that never struck proves nothing
