import { storageConformance } from '@lithops/core/testing'
import { moto, withRealPart } from '@lithops/fake-clouds/real-parts'
import { s3FaultSuite } from '@lithops/fake-clouds/s3-fault-suite'
import { openStorage } from './open-storage.ts'

const server = withRealPart(moto)

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => openStorage(server.part.endpoint, server.part),
  timing: { manyKeys: 1_100 },
})

s3FaultSuite({ server, open: openStorage, checksSignatures: false, manyKeys: 1_100 })
