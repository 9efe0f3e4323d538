import { expect, test } from 'vitest'
import type { SeenTask } from './execution-api.ts'
import { billedMsOf, errorOfTask } from './task-ends.ts'

const ran = { index: 2, end: 'failed', message: '', exitCode: undefined, termSignal: undefined } as const
const times = { startedMs: 1_000, endedMs: 5_000 }
const error = (task: Partial<SeenTask>, said = '') =>
  errorOfTask({
    execution: 'job-abcde',
    index: 2,
    memoryMiB: 512,
    timeoutMs: 60_000,
    task: { ...ran, ...times, ...task },
    said,
  })

// the words are those of the platform; the exit code of what was killed for memory is 0
test.each([
  [
    { message: 'The configured memory limit was reached.', exitCode: 0 },
    'LITHOPS_CALL_OUT_OF_MEMORY',
    '512 MiB',
  ],
  [{ exitCode: 134 }, 'LITHOPS_CALL_OUT_OF_MEMORY', 'SIGABRT'],
  [{ exitCode: 142 }, 'LITHOPS_CALL_TIMEOUT', 'did not stop at its timeout'],
  [{ message: 'The configured timeout was reached.' }, 'LITHOPS_CALL_TIMEOUT', 'runtime_timeout'],
  [{ termSignal: 9, endedMs: 61_000 }, 'LITHOPS_CALL_TIMEOUT', '60 s'],
  [{ termSignal: 9 }, 'LITHOPS_WORKER_LOST', 'killed (signal 9)'],
  [{ exitCode: 70 }, 'LITHOPS_WORKER_LOST', 'the function ended its process'],
  [{ exitCode: 1 }, 'LITHOPS_WORKER_LOST', 'its log says why'],
  [{ exitCode: 3 }, 'LITHOPS_WORKER_LOST', 'exit code 3'],
] as const)('%o is told as %s', (task, code, text) => {
  expect(error(task)).toMatchObject({ code, message: expect.stringContaining(text), details: { index: 2 } })
})

test('a task that has not begun has the reason of its execution', () => {
  const unbegun = { startedMs: undefined, endedMs: undefined }
  expect(error(unbegun, "Image 'x/y@sha256:1' not found.")).toMatchObject({
    code: 'LITHOPS_INVOCATION',
    mayHaveRun: false,
    message: expect.stringMatching(/did not start: Image 'x.*docker_server/),
  })
  expect(error(unbegun, 'The execution was cancelled.')).toMatchObject({
    code: 'LITHOPS_WORKER_LOST',
    message: expect.stringContaining('The execution was cancelled.'),
  })
})

test('a task is billed for a minute at least', () => {
  expect(billedMsOf({ ...ran, ...times })).toBe(60_000)
  expect(billedMsOf({ ...ran, startedMs: 1_000, endedMs: 91_033 })).toBe(90_100)
  expect(billedMsOf(undefined)).toBeUndefined()
})
