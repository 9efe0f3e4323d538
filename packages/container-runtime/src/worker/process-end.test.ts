import { expect, test } from 'vitest'
import { endOfProcess, type ProcessEnd } from './process-end.ts'

const end = (given: Partial<ProcessEnd>) =>
  endOfProcess({
    code: null,
    signal: null,
    startError: undefined,
    output: '',
    wasKilledForMemory: false,
    ...given,
  })

const late = 'lithops: call over its timeout of 300 ms: call 4 never let go'

test('a timeout is that of its own activation, and the others are lost with it', () => {
  const of = end({ signal: 'SIGALRM', output: `before\n${late} (activation 7)\n` })
  expect(of(7)).toMatchObject({ kind: 'timeout', message: `${late}.`, mayHaveRun: true })
  expect(of(8)).toMatchObject({
    kind: 'lost',
    mayHaveRun: true,
    message: expect.stringContaining('kept it busy'),
  })
})

test('a timeout without an activation is that of all', () => {
  expect(end({ signal: 'SIGALRM', output: `${late}\n` })(1)).toMatchObject({
    kind: 'timeout',
    message: `${late}.`,
  })
})

test.each([
  [
    { signal: 'SIGABRT', output: 'FATAL ERROR: Reached heap limit' } as const,
    'memory',
    "limit of Node's heap",
  ],
  [{ code: 134, output: 'JavaScript heap out of memory' }, 'memory', "limit of Node's heap"],
  [{ signal: 'SIGKILL', wasKilledForMemory: true } as const, 'memory', "container's memory limit"],
  [{ signal: 'SIGKILL' } as const, 'lost', 'was ended by SIGKILL'],
  [{ signal: 'SIGTERM', wasKilledForMemory: true } as const, 'lost', 'was ended by SIGTERM'],
  [{ code: 3 }, 'lost', 'ended with exit code 3'],
  // a function may print the mark, and exit by itself
  [{ code: 3, output: late }, 'lost', 'ended with exit code 3'],
])('%o is %s', (given, kind, message) => {
  expect(end(given)(1)).toMatchObject({ kind, mayHaveRun: true, message: expect.stringContaining(message) })
})

test('what could not be started has not run', () => {
  const startError = new Error('spawn EAGAIN')
  expect(end({ startError })(1)).toMatchObject({ kind: 'lost', mayHaveRun: false })
})
