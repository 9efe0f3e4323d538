import type { BatchCloud, BatchFaultSuiteOptions } from '@lithops/fake-clouds/batch-suite'
import { codeEngineFaults, type FakeCodeEngine } from '@lithops/fake-clouds/code-engine'
import { parseIndices } from '../src/array-spec.ts'
import { RUN_BYTES } from '../src/limits.ts'

/** Code Engine, as suites of batches look at it. */
export function batchCloud(cloud: FakeCodeEngine): BatchCloud {
  return {
    clear: () => cloud.clear(),
    killInstances: (afterMs, scope) => cloud.inject(codeEngineFaults.killInstance(afterMs), scope),
    loseAnswers: scope => cloud.inject(codeEngineFaults.loseAnswer(), scope),
    failAnswers: scope => cloud.inject(codeEngineFaults.answer(503), scope),
    registry: cloud.registry,
    get jobs() {
      return cloud.names('jobs')
    },
    get runs() {
      return cloud.names('job_runs')
    },
    get askedCounts() {
      return cloud.runs.map(({ scale_array_spec: spec }) => parseIndices(String(spec)).length)
    },
    get largestStartBytes() {
      return Math.max(...cloud.runs.map(run => JSON.stringify(run).length))
    },
    get activeCount() {
      return cloud.activeCount
    },
    removeJob: name => cloud.remove('jobs', name),
    removeRun: name => cloud.remove('job_runs', name),
  }
}

/** What errors of Code Engine say, and what its runs can have. */
export const batchFaults: Pick<BatchFaultSuiteOptions, 'words' | 'unlikeCalls' | 'startBytes'> = {
  words: {
    killed: /killed \(exit code 137\)/,
    killedDetails: { exitCode: 137, reason: 'ContainerExitedCode137' },
    unpullable: /ImagePullBackOff: .*not found.*docker_server/s,
    unpullableLater: /did not start: .*docker_server/s,
    unstarted: /do not start: they end with exit code 9/,
  },
  // a config map has a mebibyte
  unlikeCalls: 60,
  startBytes: RUN_BYTES,
}

/** Cases that are run in CI too; the others take longer. */
export const QUICK_FAULTS = /fails wholly|cannot be pulled|does not start/
