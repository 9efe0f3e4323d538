import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { computeConformance } from '@lithops/core/testing'
import { withMinio } from '@lithops/fake-clouds/batch-suite'
import { afterAll, expect, test } from 'vitest'
import { jobPlatform, platform } from './platform.ts'

// Functions that are in the images: one is made for each of them.

const there = platform()
const folder = mkdtempSync(join(tmpdir(), 'lithops-test-extend-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

computeConformance({
  test: (name, run) => (/whose code no activation carries/.test(name) ? test(name, run) : undefined),
  createBackend: () => there.open({ max_workers: 2, runtime_include_function: true }),
  timing: { callMs: 40_000 },
})

test('a runtime is extended by a function once, and its jobs put no code on the wire', async () => {
  const cloud = await there.start()
  const file = join(folder, 'scaling.mjs')
  writeFileSync(file, "export const scale = x => ['words of the code', x * 3]\n")
  const { scale } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    scale: (x: number) => readonly [string, number]
  }
  const extend = async (section: Record<string, unknown>) => {
    await using fexec = new FunctionExecutor({ backend: await there.open(section) })
    const [extended] = await fexec.runtimes.extend({ name: 'default', filepath: file, function: 'scale' })
    return extended
  }
  const first = await extend({})
  expect(first).toMatchObject({ isBuilt: true })
  cloud.clear()
  const toolless = { container_tool: '/no/such/podman' }
  expect(await extend(toolless)).toMatchObject({ name: first?.name, isBuilt: false })
  expect(cloud.registry.requests.filter(request => request.startsWith('PUT'))).toEqual([])
  const config = { serverless: { runtime: first?.name ?? '', map_func_mod: file, map_func: 'scale' } }
  await using fexec = new FunctionExecutor({ backend: await there.open(toolless), config })
  expect(await fexec.getResult(fexec.map(scale, [1, 2]))).toEqual([
    ['words of the code', 3],
    ['words of the code', 6],
  ])
  for (const { body } of cloud.activations) expect(body.includes('words of the code')).toBe(false)
})

const jobs = jobPlatform()
const storage = withMinio('baked')

storage.test('so is one of jobs: its executions carry no code', async () => {
  const cloud = await jobs.start()
  const file = join(folder, 'adding.mjs')
  writeFileSync(file, "export const add = x => ['words of the code', x + 3]\n")
  const { add } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    add: (x: number) => readonly [string, number]
  }
  await using first = storage.open(await jobs.open())
  await (await first.storage()).createBucket()
  const [extended] = await first.runtimes.extend({ name: 'default', filepath: file, function: 'add' })
  expect(extended).toMatchObject({ isBuilt: true })
  cloud.clear()
  const { options } = storage
  const serverless = { runtime: extended?.name ?? '', map_func_mod: file, map_func: 'add' }
  await using fexec = storage.open(await jobs.open({ container_tool: '/no/such/podman' }), {
    config: { ...(options.config as Record<string, unknown>), serverless },
  })
  expect(await fexec.getResult(fexec.map(add, [1, 2]))).toEqual([
    ['words of the code', 4],
    ['words of the code', 5],
  ])
  // functions would be beside the data of jobs
  const keys = await (await fexec.storage()).listKeys('lithops.jobs/')
  expect(keys.filter(key => /func/.test(key))).toEqual([])
})
