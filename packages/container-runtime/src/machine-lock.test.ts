import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { oncePerMachine } from './machine-lock.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-lock-'))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  vi.stubEnv('LITHOPS_CACHE_DIR', folder)
})
const locks = () => readdirSync(folder).filter(name => name.endsWith('.lock'))

test('those who do the same take turns; those who do something else do not wait', async () => {
  const told: string[] = []
  const gate = gateOf()
  const first = oncePerMachine('image', async () => {
    told.push('first begins')
    await gate.promise
    told.push('first ends')
  })
  await vi.waitFor(() => expect(told).toEqual(['first begins']))
  const second = oncePerMachine('image', async () => void told.push('second'))
  await oncePerMachine('other', async () => void told.push('other'))
  expect(told).toEqual(['first begins', 'other'])
  gate.resolve(undefined)
  await Promise.all([first, second])
  expect(told).toEqual(['first begins', 'other', 'first ends', 'second'])
  expect(locks()).toEqual([])
})

test('what fails lets the next one go on, and a signal ends the wait', async () => {
  await expect(
    oncePerMachine('image', async () => {
      throw new Error('no room')
    }),
  ).rejects.toThrow('no room')
  expect(await oncePerMachine('image', async () => 'done')).toBe('done')
  const controller = new AbortController()
  const gate = gateOf()
  const holder = oncePerMachine('image', () => gate.promise)
  await vi.waitFor(() => expect(locks()).toHaveLength(1))
  const waiting = oncePerMachine('image', async () => 'never', { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow()
  gate.resolve(undefined)
  await holder
})

test('the lock of a program that was killed is taken over, and so is one that stands still', async () => {
  const gate = gateOf()
  const holder = oncePerMachine('image', () => gate.promise)
  await vi.waitFor(() => expect(locks()).toHaveLength(1))
  const file = path.join(folder, locks()[0] as string)
  // there before its text is
  const [host] = await vi.waitFor(() => JSON.parse(readFileSync(file, 'utf8')) as [string])
  gate.resolve(undefined)
  await holder
  const child = spawn(process.execPath, ['--eval', ''])
  await once(child, 'exit')
  writeFileSync(file, JSON.stringify([host, child.pid]))
  expect(await oncePerMachine('image', async () => 'taken over')).toBe('taken over')
  writeFileSync(file, JSON.stringify(['another-machine', 1]))
  const old = new Date(Date.now() - 3_600_000)
  utimesSync(file, old, old)
  expect(await oncePerMachine('image', async () => 'stale')).toBe('stale')
  writeFileSync(file, '["half')
  setTimeout(() => utimesSync(file, old, old), 50)
  expect(await oncePerMachine('image', async () => 'half a holder')).toBe('half a holder')
  expect(locks()).toEqual([])
})

test('where no file can be written, all run at once', async () => {
  const blocked = path.join(folder, 'a-file')
  writeFileSync(blocked, '')
  vi.stubEnv('LITHOPS_CACHE_DIR', path.join(blocked, 'below'))
  expect(await Promise.all([1, 2].map(n => oncePerMachine('image', async () => n)))).toEqual([1, 2])
})

function gateOf() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise(done => {
    resolve = done
  })
  return { promise, resolve }
}
