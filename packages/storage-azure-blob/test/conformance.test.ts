import { randomBytes } from 'node:crypto'
import { storageConformance } from '@lithops/core/testing'
import { azureFaults } from '@lithops/fake-clouds/fault-proxy'
import { azurite, withRealPart } from '@lithops/fake-clouds/real-parts'
import { storageFaultSuite } from '@lithops/fake-clouds/storage-fault-suite'
import { openAzureBlob } from '../src/open-azure-blob.ts'
import { type AzureKeys, openStorage, sectionOf } from './open-storage.ts'

const server = withRealPart(azurite)

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => openStorage(server.part.endpoint, server.part),
  timing: { manyKeys: 300 },
})

/** The emulator takes a hundred requests in a second: there are fewer keys, and pages have fewer. */
const PAGE_KEYS = 100
const MANY_KEYS = 1_050

storageFaultSuite<AzureKeys>({
  server,
  open: (endpoint, keys) => openAzureBlob(sectionOf(endpoint, keys), { pageKeys: PAGE_KEYS }),
  manyKeys: MANY_KEYS,
  checksSignatures: true,
  dialect: {
    faults: azureFaults,
    writes: { method: 'PUT' },
    reads: { method: 'GET' },
    removes: { method: 'DELETE' },
    parts: { url: /comp=block(&|$)/ },
    pageKeys: PAGE_KEYS,
    wrongKeys: keys => [{ ...keys, accountKey: randomBytes(64).toString('base64') }],
    secrets: ({ accountKey }) => [accountKey, 'SharedKey ', 'sig='],
  },
})
