import { expect, test } from 'vitest'
import { errorOfIndex } from './index-ends.ts'

const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString()
const errorOf = (reason: string | undefined, ranS = 3) =>
  errorOfIndex({
    runName: 'run',
    index: 4,
    memoryMiB: 512,
    timeoutMs: 600_000,
    details: {
      started_at: at(0),
      finished_at: at(ranS),
      ...(reason === undefined ? {} : { last_failure_reason: reason }),
    },
  })

test.each([
  ['OOMKilled', 3, 'LITHOPS_CALL_OUT_OF_MEMORY', /OOMKilled.* 512 MB.*runtimeMemoryMiB/],
  ['ContainerExitedCode134', 3, 'LITHOPS_CALL_OUT_OF_MEMORY', /exit code 134.*heap is full.* 512 MB/],
  ['ContainerExitedCode142', 3, 'LITHOPS_CALL_TIMEOUT', /did not stop at its timeout/],
  ['ContainerExitedCode137', 600, 'LITHOPS_CALL_TIMEOUT', /runtime_timeout/],
  ['MaxExecutionTimeExceeded', 3, 'LITHOPS_CALL_TIMEOUT', /600 s/],
  ['ContainerExitedCode137', 3, 'LITHOPS_WORKER_LOST', /killed \(exit code 137\), with 512 MB/],
  ['Evicted', 3, 'LITHOPS_WORKER_LOST', /evicted.*512 MB/],
  ['ContainerExitedCode70', 3, 'LITHOPS_WORKER_LOST', /function ended its process/],
  ['ContainerExitedCode1', 3, 'LITHOPS_WORKER_LOST', /could not read its part/],
  ['ContainerExitedCode5', 3, 'LITHOPS_WORKER_LOST', /exit code 5/],
  ['ExceededEphemeralStorage', 3, 'LITHOPS_WORKER_LOST', /ephemeral storage/],
  ['ExecutableNotFound', 3, 'LITHOPS_INVOCATION', /no node on the PATH/],
  ['ImagePullBackOff', 3, 'LITHOPS_INVOCATION', /docker_server/],
  ['SomethingNew', 3, 'LITHOPS_WORKER_LOST', /SomethingNew/],
  [undefined, 3, 'LITHOPS_WORKER_LOST', /no reason/],
])('%s after %i s is %s', (reason, ranS, code, message) => {
  const error = errorOf(reason, ranS)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  expect(error.details).toMatchObject({ requestId: 'run/4', billedMs: ranS * 1000, memoryMiB: 512 })
})
