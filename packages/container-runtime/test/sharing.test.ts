/** Several activations at once in one process: what goes wrong for one, and the others beside it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type CallContext, FunctionExecutor } from '@lithops/core'
import { afterAll, expect, test } from 'vitest'
import { HttpPlatform } from './http-platform.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-sharing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = () => path.join(folder, `${files++}`)

async function shared(use: (fexec: FunctionExecutor) => Promise<void>): Promise<void> {
  const platform = new HttpPlatform({ concurrency: 4 })
  try {
    await using fexec = new FunctionExecutor({ backend: platform })
    await use(fexec)
  } finally {
    await platform.close()
  }
}

/** Says that it runs, and ends when the file is there. */
const until = async ([started, file]: readonly [string, string]): Promise<number> => {
  const fs = await import('node:fs')
  fs.writeFileSync(started, '')
  while (!fs.existsSync(file)) await new Promise(done => setTimeout(done, 5))
  return process.pid
}
const there = (file: string) => expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true)

test('a cancelled call that does not stop has its process given up, and the call beside it ends there', () =>
  shared(async fexec => {
    const [started, stubborn, file] = [newFile(), newFile(), newFile()]
    const beside = fexec.callAsync(until, [started, file] as const, once)
    const cancelled = fexec.callAsync(until, [stubborn, newFile()] as const, once)
    await Promise.all([there(started), there(stubborn)])
    const before = await fexec.callAsync(() => process.pid, 0, once)
    cancelled.cancel()
    const next = async () => fexec.callAsync(() => process.pid, 0, once)
    await expect.poll(next, { timeout: 20_000 }).not.toBe(before)
    await fexec.callAsync(
      (file: string) => process.getBuiltinModule('node:fs').writeFileSync(file, ''),
      file,
      once,
    )
    expect(await beside).toBe(before)
    await expect.poll(() => isAlive(before), { timeout: 20_000 }).toBe(false)
  }))

test('a call that never lets go is over its timeout, and what it kept from going on is lost with it', () =>
  shared(async fexec => {
    const started = newFile()
    const beside = fexec.callAsync(until, [started, newFile()] as const, once)
    await there(started)
    const busy = () => {
      for (;;);
    }
    const late = fexec.callAsync(busy, 0, { ...once, timeoutMs: 300 })
    await expect(late.result()).rejects.toMatchObject({
      code: 'LITHOPS_CALL_TIMEOUT',
      message: expect.stringMatching(/never let go\./),
    })
    await expect(beside.result()).rejects.toMatchObject({
      code: 'LITHOPS_WORKER_LOST',
      message: expect.stringContaining('a call beside this one kept it busy'),
    })
    expect(await fexec.callAsync((x: number) => x, 1, once)).toBe(1)
  }))

test('the folder of the process stays where it is, and says so', () =>
  shared(async fexec => {
    await expect(fexec.callAsync(() => process.chdir('/'), 0, once).result()).rejects.toMatchObject({
      code: 'LITHOPS_NOT_SUPPORTED',
      message: expect.stringContaining('set the backend'),
    })
  }))

test('an exit ends its call alone, whatever the function makes of it', () =>
  shared(async fexec => {
    const pid = await fexec.callAsync(() => process.pid, 0, once)
    const swallowing = () => {
      try {
        process.exit(4)
      } catch {
        return 'went on'
      }
    }
    const later = () =>
      new Promise(() => {
        setTimeout(() => process.exit(5), 1)
      })
    for (const [fn, code] of [
      [swallowing, 4],
      [later, 5],
    ] as const) {
      await expect(fexec.callAsync(fn as () => unknown, 0, once).result()).rejects.toMatchObject({
        code: 'LITHOPS_WORKER_LOST',
        message: expect.stringContaining(`exit code ${code}`),
      })
    }
    expect(await fexec.callAsync(() => process.pid, 0, once)).toBe(pid)
  }))

test('programs that a call starts get its own environment', () =>
  shared(async fexec => {
    const ask = async (value: string, _: CallContext) => {
      const { execFileSync } = await import('node:child_process')
      process.env.OF_CALL = value
      await new Promise(done => setTimeout(done, 20))
      return execFileSync('/bin/sh', ['-c', 'echo $OF_CALL $OF_JOB'], { encoding: 'utf8' }).trim()
    }
    const futures = fexec.map(ask, ['a', 'b', 'c'], { ...once, chunksize: 1, extraEnv: { OF_JOB: 'job' } })
    expect(await fexec.getResult(futures)).toEqual(['a job', 'b job', 'c job'])
  }))

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
