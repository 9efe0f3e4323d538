import { testCrossVersions } from './harness/cross-versions.ts'

// each version once on each side
testCrossVersions([
  [20, 24],
  [24, 22],
  [22, 20],
])
