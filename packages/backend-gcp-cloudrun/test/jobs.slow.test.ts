import { batchKit, withMinio } from '@lithops/fake-clouds/batch-suite'
import { jobPlatform } from './platform.ts'

const there = jobPlatform()

batchKit({ storage: withMinio('jobs-slow'), open: section => there.open(section) })
