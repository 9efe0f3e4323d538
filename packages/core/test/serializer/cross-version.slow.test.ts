import { testCrossVersions } from './harness/cross-versions.ts'

// the other way round
testCrossVersions([
  [24, 20],
  [22, 24],
  [20, 22],
])
