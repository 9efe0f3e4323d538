import { batchKit, withMinio } from '@lithops/fake-clouds/batch-suite'
import { cloud } from './cloud.ts'

const there = cloud()

batchKit({ storage: withMinio('conformance-slow'), open: section => there.open(section) })
