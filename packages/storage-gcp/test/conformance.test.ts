import { storageConformance } from '@lithops/core/testing'
import { gcsFaults } from '@lithops/fake-clouds/fault-proxy'
import { fakeGcs, withRealPart } from '@lithops/fake-clouds/real-parts'
import { storageFaultSuite } from '@lithops/fake-clouds/storage-fault-suite'
import { DIALECT, openStorage } from './open-storage.ts'

const server = withRealPart(fakeGcs)

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => openStorage({ endpoint: server.part.endpoint }),
  timing: { manyKeys: 1_100 },
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
