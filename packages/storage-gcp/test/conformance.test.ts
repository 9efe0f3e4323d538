import { storageConformance } from '@lithops/core/testing'
import { gcsFaults } from '@lithops/fake-clouds/fault-proxy'
import { fakeGcs, withRealPart } from '@lithops/fake-clouds/real-parts'
import { storageFaultSuite } from '@lithops/fake-clouds/storage-fault-suite'
import { expect } from 'vitest'
import { DIALECT, openStorage } from './open-storage.ts'

const server = withRealPart(fakeGcs)

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => openStorage({ endpoint: server.part.endpoint }),
  timing: { manyKeys: 1_100 },
})

server.test('a write into a bucket that is not there says so, though the server does not tell', async () => {
  const storage = await openStorage({ endpoint: server.part.endpoint })
  const put = storage.putObject('no-such-bucket', 'key', new Uint8Array(1))
  await expect(put).rejects.toThrow("there is no bucket 'no-such-bucket'")
  await storage.close()
})

storageFaultSuite<object>({
  server,
  open: endpoint => openStorage({ endpoint }),
  // it takes a hundred requests in a second
  manyKeys: 1_100,
  checksSignatures: false,
  dialect: {
    ...DIALECT,
    faults: gcsFaults,
    wrongKeys: () => [],
    secrets: () => ['upload_id='],
  },
})
