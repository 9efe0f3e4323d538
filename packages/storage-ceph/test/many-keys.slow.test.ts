import { cephRgw, withRealPart } from '@lithops/fake-clouds/real-parts'
import { s3FaultSuite } from '@lithops/fake-clouds/s3-fault-suite'
import { openStorage } from './open-storage.ts'

// The same with eleven pages of keys, which a server here writes a hundred a second.
s3FaultSuite({
  server: withRealPart(cephRgw),
  open: openStorage,
  checksSignatures: true,
  manyKeys: 10_500,
})
