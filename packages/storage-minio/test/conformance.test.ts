import { storageConformance } from '@lithops/core/testing'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { s3FaultSuite } from '@lithops/fake-clouds/s3-fault-suite'
import { openStorage } from './open-storage.ts'

const server = withRealPart(minio)

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => openStorage(server.part.endpoint, server.part),
  timing: { manyKeys: 1_100 },
})

// two pages and some: many-keys.slow.test.ts of the Ceph package has more of them
s3FaultSuite({ server, open: openStorage, checksSignatures: true, manyKeys: 2_100 })
