import type { BatchCloud } from '@lithops/fake-clouds/batch-suite'
import { cloudRunFaults, type FakeCloudRun } from '@lithops/fake-clouds/cloudrun'

const BUSY = '{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}'

/** Cloud Run, as suites of batches look at it. */
export function batchCloud(cloud: FakeCloudRun): BatchCloud {
  const starts = () => cloud.requests.filter(({ action, status }) => action === 'run job' && status === 200)
  return {
    clear: () => cloud.clear(),
    killInstances: (afterMs, scope) =>
      cloud.inject(cloudRunFaults.killInstance(afterMs), { place: 'task', ...scope }),
    loseAnswers: scope => cloud.inject(cloudRunFaults.loseReply(), { place: 'api', ...scope }),
    failAnswers: scope => cloud.inject(cloudRunFaults.answer(503, BUSY), { place: 'api', ...scope }),
    registry: cloud.registry,
    get jobs() {
      return cloud.jobs
    },
    get runs() {
      return cloud.executions
    },
    get askedCounts() {
      return starts().map(
        ({ body }) =>
          (JSON.parse(body) as { readonly overrides: { readonly taskCount: number } }).overrides.taskCount,
      )
    },
    get largestStartBytes() {
      return Math.max(...starts().map(({ body }) => body.length))
    },
    get activeCount() {
      return cloud.taskCount
    },
    removeJob: name => cloud.removeJob(name),
    removeRun: name => cloud.removeExecution(name),
  }
}
