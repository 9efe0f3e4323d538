import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BroughtFunctions } from './brought-functions.ts'
import type { FunctionHelper } from './instantiate.ts'

const HASH = '0123456789abcdef0123456789abcdef'
const loads = globalThis as { loads?: number }
let folder = ''
let brought: BroughtFunctions

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-brought-'))
  brought = new BroughtFunctions(folder)
  loads.loads = 0
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true, force: true })
})

const write = (code: string, hash = HASH) =>
  writeFileSync(path.join(folder, `${hash}.mjs`), `globalThis.loads++\n${code}`)
const place = async (hash: string) => brought.fileOf(hash)
const preload = () => brought.preload(place)
/** What the function gives in a job with these variables in its environment. */
async function call(extraEnv: Record<string, string> = {}): Promise<unknown> {
  const before = process.env
  process.env = { ...before, ...extraEnv }
  try {
    return (await brought.import(HASH, place, extraEnv))({} as FunctionHelper)
  } finally {
    process.env = before
  }
}

test('a function is loaded once, ahead of its call', async () => {
  write('export default () => 7')
  const { env, exit } = process
  await preload()
  expect(loads.loads).toBe(1)
  expect(await call()).toBe(7)
  expect(loads.loads).toBe(1)
  expect(process.env).toBe(env)
  expect(process.exit).toBe(exit)
})

test('without a function, and with several, nothing is loaded ahead', async () => {
  await preload()
  write('export default () => 7')
  write('export default () => 8', HASH.replaceAll('0', '1'))
  await preload()
  expect(loads.loads).toBe(0)
  expect(await call()).toBe(7)
})

test.each([
  ['reads', 'process.env.BUCKET'],
  ['asks for', "'BUCKET' in process.env ? process.env.BUCKET : undefined"],
  ['copies', '({ ...process.env }).BUCKET'],
])('one that %s a variable of the job is loaded again, with it', async (_, read) => {
  write(`const bucket = ${read}\nexport default () => bucket`)
  await preload()
  expect(await call()).toBe(undefined)
  expect(loads.loads).toBe(1)
  expect(await call({ BUCKET: 'mine' })).toBe('mine')
  expect(loads.loads).toBe(2)
})

test('variables of a job that were not read do not load it again', async () => {
  write('const bucket = process.env.BUCKET\nexport default () => process.env.OTHER')
  await preload()
  expect(await call({ OTHER: 'read by the call' })).toBe('read by the call')
  expect(loads.loads).toBe(1)
})

test.each([
  ['throws', "throw new Error('no BUCKET')"],
  ['exits', 'process.exit(3)'],
])('one that %s without the variables of its job does not end the worker', async (_, refuse) => {
  write(`if (process.env.BUCKET === undefined) ${refuse}\nexport default () => 7`)
  await preload()
  expect(await call({ BUCKET: 'mine' })).toBe(7)
})

test('one that could not be loaded ahead is loaded again by its call', async () => {
  write("if (globalThis.loads === 1) throw new Error('a service was away')\nexport default () => 7")
  await preload()
  expect(await call()).toBe(7)
  expect(loads.loads).toBe(2)
})

test('one that always throws tells so to each call', async () => {
  write("throw new RangeError('broken')")
  await preload()
  await expect(call()).rejects.toThrow('broken')
  await expect(call()).rejects.toThrow('broken')
})

test('one that takes long is not waited for, and a job with variables loads it anew', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  write(
    'if (process.env.BUCKET === undefined) await new Promise(() => {})\nconst bucket = process.env.BUCKET\nexport default () => bucket',
  )
  const loading = preload()
  await vi.waitFor(() => expect(loads.loads).toBe(1), { timeout: 20_000 })
  await vi.advanceTimersByTimeAsync(5_000)
  await loading
  expect(await call({ BUCKET: 'mine' })).toBe('mine')
})
