import { storageConformance } from '@lithops/core/testing'
import { redis, withRealPart } from '@lithops/fake-clouds/real-parts'
import { openSection, sectionOf } from './open-storage.ts'

const server = withRealPart(redis)

storageConformance({
  test: (name, run) => server.test(name, run, { timeout: 120_000 }),
  createBackend: () => openSection(sectionOf(server.part)),
})
