import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('fixtures/holds-fake-aws.ts', import.meta.url))

test('a test process that is killed leaves no process and no file', { timeout: 60_000 }, async () => {
  const program = fork(PROGRAM, { execArgv: ['--import', 'tsx'], stdio: 'inherit' })
  const exited = once(program, 'exit')
  const [{ pids, folder }] = (await once(program, 'message')) as [{ pids: number[]; folder: string }]
  expect(pids).toHaveLength(2)
  expect(pids.every(isRunning)).toBe(true)
  program.kill('SIGKILL')
  await exited
  await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([])
  await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false)
})

/** What has ended and waits for its parent to look does not count. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
