import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { FunctionExecutor } from '../../src/index.ts'
import { DetachedBackend } from './programs/detached-backend.ts'

const scratch = mkdtempSync(join(tmpdir(), 'lithops-attach-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const source = (path: string) => pathToFileURL(join(import.meta.dirname, path)).href

function newFolders(name: string) {
  const folder = mkdtempSync(join(scratch, `${name}-`))
  const folders = {
    root: join(folder, 'storage'),
    marks: join(folder, 'marks'),
    payloads: join(folder, 'payloads'),
  }
  for (const path of Object.values(folders)) mkdirSync(path)
  return folders
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name =>
    statSync(join(folder, name)).isFile(),
  )

const localOptions = (root: string) =>
  ({
    storage: 'localhost',
    monitoring: 'storage',
    localhost: { worker_processes: 2, storage_folder: root },
  }) as const

/** Runs a program that begins a job of 12 calls, and gives its key and the way to end it. Calls leave a mark each time. */
async function startProgram({ root, marks, payloads }: ReturnType<typeof newFolders>, body: string) {
  const file = join(scratch, `client-${Date.now()}.mts`)
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs'
import { FunctionExecutor } from ${JSON.stringify(source('../../src/index.ts'))}
import { DetachedBackend } from ${JSON.stringify(source('./programs/detached-backend.ts'))}
const marks = ${JSON.stringify(marks)}
const local = ${JSON.stringify(localOptions(root))}
const detached = () => ({ ...local, backend: new DetachedBackend(${JSON.stringify(payloads)}) })
class Square { constructor(readonly side: number) {} get area() { return this.side ** 2 } }
const square = async (side: number, context: { callId: number }) => {
  writeFileSync(marks + '/' + context.callId + '-' + process.pid, '')
  await new Promise(resolve => setTimeout(resolve, 250))
  return side % 2 === 0 ? new Square(side) : side
}
const items = Array.from({ length: 12 }, (_, i) => i)
${body}
`,
  )
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const exited = once(child, 'exit')
  return {
    key: async () => {
      await until(() => output.includes('\n'))
      return output.split('\n')[0] as string
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    exited,
  }
}

async function until(isTrue: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`not so after ${timeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const sides = (values: readonly unknown[]) =>
  values.map(value => (typeof value === 'number' ? value : (value as { area: number; side: number }).area))
const expected = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? i ** 2 : i))

const START = `const futures = fexec.map(square, items)
console.log(futures[0].executorId + '-' + futures[0].jobId)
await fexec.getResult(futures)`

test('a program killed in the middle of a job on this machine: another one runs the rest and has all results', async () => {
  const folders = newFolders('killed')
  const program = await startProgram(folders, `const fexec = new FunctionExecutor(local)\n${START}`)
  const key = await program.key()
  await until(() => readdirSync(folders.marks).length >= 6)
  await program.kill()
  const begun = readdirSync(folders.marks).length
  expect(begun).toBeLessThan(12)

  const job = await FunctionExecutor.attach<unknown>(key, localOptions(folders.root))
  expect(job.info).toMatchObject({ jobKey: key, calls: 12, functionName: 'square', backends: ['localhost'] })
  expect(sides(await job.getResult())).toEqual(expected)
  // calls whose results were there were not run again
  const runs = readdirSync(folders.marks).map(name => Number(name.split('-')[0]))
  expect(runs.length).toBeLessThanOrEqual(12 + 2 + 2)
  await job.close()
  expect(filesIn(folders.root)).toEqual([])
})

test('a program killed while its workers go on: they finish, and what was not sent is sent', async () => {
  const folders = newFolders('detached')
  const program = await startProgram(
    folders,
    `const backend = new DetachedBackend(${JSON.stringify(folders.payloads)})
Object.assign(backend.capabilities, { maxActivations: 100 })
const invoke = backend.invoke.bind(backend)
// the platform takes the first six and then lets the client wait
backend.invoke = activation => (backend.invoked < 6 ? invoke(activation) : new Promise(() => {}))
const fexec = new FunctionExecutor({ ...local, backend })\n${START}`,
  )
  const key = await program.key()
  await until(() => readdirSync(folders.payloads).length === 6)
  await program.kill()
  const backend = new DetachedBackend(folders.payloads)
  const job = await FunctionExecutor.attach<unknown>(key, { ...localOptions(folders.root), backend })
  expect(sides(await job.getResult())).toEqual(expected)
  expect(backend.invoked).toBeGreaterThanOrEqual(6)
  await job.close()
  // workers that were late remove what they wrote
  await until(() => filesIn(folders.root).length === 0)
}, 60_000)

test('a durable job outlives close(): its workers go on, and another program reads the results', async () => {
  const folders = newFolders('durable')
  const program = await startProgram(
    folders,
    `{ await using fexec = new FunctionExecutor({ ...detached(), monitoring: 'direct' })
  const futures = fexec.map(square, items, { durable: true })
  console.log(futures[0].executorId + '-' + futures[0].jobId)
  for (const future of futures) future.catch(() => {})
  while (futures.some(future => future.state === 'ready' || future.state === 'waiting')) await new Promise(done => setTimeout(done, 10))
}`,
  )
  const key = await program.key()
  await program.exited
  const options = { ...localOptions(folders.root), backend: new DetachedBackend(folders.payloads) }
  {
    await using fexec = new FunctionExecutor(options)
    expect((await fexec.listJobs()).map(({ jobKey, calls }) => [jobKey, calls])).toEqual([[key, 12]])
  }
  const job = await FunctionExecutor.attach<unknown>(key, options)
  expect(sides(await job.getResult())).toEqual(expected)
  expect(options.backend.invoked).toBe(0)
  expect(readdirSync(folders.marks)).toHaveLength(12)
  await job.close()
  expect(filesIn(folders.root)).toEqual([])
}, 60_000)

test('a job that is not there, a key that is none, and jobs that cannot be durable', async () => {
  const { root } = newFolders('wrong')
  await using fexec = new FunctionExecutor(localOptions(root))
  await expect(fexec.attach('abc-0-M000')).rejects.toMatchObject({ code: 'LITHOPS_JOB_NOT_FOUND' })
  await expect(fexec.attach('nonsense')).rejects.toThrow(/lithops job list/)
  const first = fexec.callAsync((x: number) => x, 1)
  await expect(fexec.callAsync((x: number) => x, first as never, { durable: true }).result()).rejects.toThrow(
    /must be values, not futures/,
  )
  expect(() =>
    fexec.mapReduce(
      (x: number) => x,
      [1],
      (all: number[]) => all.length,
      { durable: true },
    ),
  ).toThrow(/reducers of a durable job/)
  expect(await fexec.listJobs()).toEqual([])
})
