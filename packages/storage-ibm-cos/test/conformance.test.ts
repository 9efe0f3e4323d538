import { storageConformance } from '@lithops/core/testing'
import { cephRgw, withRealPart } from '@lithops/fake-clouds/real-parts'
import { s3FaultSuite } from '@lithops/fake-clouds/s3-fault-suite'
import { openStorage } from './open-storage.ts'

// HMAC credentials: the signatures are S3's own, so any real S3 server will do
const server = withRealPart(cephRgw)
const open = (endpoint: string, keys: { readonly accessKeyId: string; readonly secretAccessKey: string }) =>
  openStorage({ endpoint, access_key_id: keys.accessKeyId, secret_access_key: keys.secretAccessKey })

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => open(server.part.endpoint, server.part),
  timing: { manyKeys: 1_100 },
})

s3FaultSuite({ server, open, checksSignatures: true, manyKeys: 1_100 })
