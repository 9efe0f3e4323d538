/** The same as on fake-gcs-server, on a stand-in that checks tokens and signatures: by the key of a service account. */
import { randomUUID } from 'node:crypto'
import { storageConformance } from '@lithops/core/testing'
import { gcsFaults } from '@lithops/fake-clouds/fault-proxy'
import { FakeGcs } from '@lithops/fake-clouds/gcs'
import { storageFaultSuite } from '@lithops/fake-clouds/storage-fault-suite'
import { afterAll, beforeAll } from 'vitest'
import { DIALECT, openStorage } from './open-storage.ts'
import { withFakeGcs } from './with-fake-gcs.ts'

const server = withFakeGcs()
/** Whose accounts the server does not know. */
let stranger: FakeGcs
beforeAll(async () => {
  stranger = await FakeGcs.start()
})
afterAll(() => stranger.close())

interface GcsKeys {
  readonly keyFile: string
}

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => server.open(),
})

storageFaultSuite<GcsKeys>({
  server,
  open: (endpoint, { keyFile }) => openStorage({ endpoint, credentials: keyFile }),
  checksSignatures: true,
  dialect: {
    ...DIALECT,
    faults: gcsFaults,
    wrongKeys: keys => {
      const own = JSON.parse(keys.keyFile) as Record<string, string>
      const other = JSON.parse(stranger.owner.keyFile) as Record<string, string>
      const unknown = { ...own, client_email: `nobody-${randomUUID()}@project.iam.gserviceaccount.com` }
      return [{ ...own, private_key: other.private_key }, unknown].map(file => ({
        keyFile: JSON.stringify(file),
      }))
    },
    secrets: ({ keyFile }) => {
      const { private_key = '' } = JSON.parse(keyFile) as Record<string, string>
      return ['upload_id=', 'ya29.', 'assertion', ...private_key.split('\n').slice(1, -2)]
    },
    unfinished: async () => server.fake.unfinishedUploads,
  },
})
