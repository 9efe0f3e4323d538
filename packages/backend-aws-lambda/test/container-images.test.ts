import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import type { FakeAwsOptions } from '@lithops/fake-clouds/aws'
import { containerTools, dockerRegistry } from '@lithops/fake-clouds/real-parts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settingsOf } from '../src/config.ts'
import { deployerPolicy } from '../src/policies.ts'
import { cloud } from './cloud.ts'

const missing = containerTools.missing() ?? dockerRegistry.missing()
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-runtime-'))
const dockerfile = path.join(folder, 'Dockerfile')
const parts: { close(): Promise<void> }[] = []
let nodeImage = ''
// no more than the policy that is printed allows
const settings = { ...settingsOf({ runtime: 'words:1' }), executionRole: '*' }
const policies = [deployerPolicy({ region: '*', accountId: '*', settings })]
const options: FakeAwsOptions & { containerRegistry?: string } = { keepBodies: true, policies }
const there = cloud(options)

beforeAll(async () => {
  if (missing !== undefined) return
  const tools = await containerTools.start()
  const registry = await dockerRegistry.start()
  parts.push(tools, registry)
  for (const [name, value] of Object.entries(tools.env)) process.env[name] = value
  nodeImage = tools.nodeImage
  options.containerRegistry = registry.host
  writeFileSync(path.join(folder, 'words.txt'), 'from the image')
}, 120_000)
afterAll(async () => {
  for (const part of parts) await part.close()
  rmSync(folder, { recursive: true, force: true })
}, 120_000)

function testImages(name: string, run: () => Promise<void>): void {
  test(name, { timeout: 180_000 }, async context => {
    if (missing !== undefined) context.skip(missing)
    await run()
  })
}

const section = { runtime: 'words:1', container_tool: 'buildah', runtime_timeout: 60 }
const write = (word: string) =>
  writeFileSync(dockerfile, `FROM ${nodeImage}\nENV WORD=${word}\nCOPY words.txt /words.txt\n`)

testImages(
  'a runtime of one’s own is built, deployed by its digest, listed, updated and cleaned',
  async () => {
    const aws = await there.start()
    const backend = await there.open(section)
    write('one')
    await backend.buildRuntime({ name: 'words:1', file: dockerfile })
    const read = async () => {
      const { readFile } = await import('node:fs/promises')
      return [await readFile('/words.txt', 'utf8'), process.env.WORD]
    }
    const run = async (on = backend) => {
      await using fexec = new FunctionExecutor({ backend: on })
      return await fexec.callAsync(read, undefined)
    }
    expect(await run()).toEqual(['from the image', 'one'])
    const [listed] = await backend.listRuntimes()
    expect(listed).toMatchObject({ name: 'words:1', memoryMiB: 256 })
    const created = aws.requests.find(({ action }) => action === 'lambda:CreateFunction')
    expect(JSON.parse(String(created?.body))).toMatchObject({
      PackageType: 'Image',
      Code: { ImageUri: expect.stringMatching(/\/lithops-ts\/\w+\/words@sha256:[0-9a-f]{64}$/) },
    })

    // nothing has changed: no tool is run, nothing is pushed or made
    aws.clear()
    there.newCache()
    const again = await there.open({ ...section, container_tool: '/no/such/buildah' })
    expect(await run(again)).toEqual(['from the image', 'one'])
    expect(aws.counts['lambda:CreateFunction']).toBeUndefined()

    // built anew: `lithops runtime update` takes away what ran before
    write('two')
    await backend.buildRuntime({ name: 'words:1', file: dockerfile })
    await backend.deleteRuntime(backend.defaultRuntime)
    there.newCache()
    const updated = await there.open(section)
    expect(await run(updated)).toEqual(['from the image', 'two'])
    expect(await updated.listRuntimes()).toHaveLength(1)

    const dry = await updated.clean({ dryRun: true })
    expect(dry.filter(name => name.startsWith('repository '))).toHaveLength(1)
    expect(await updated.clean()).toEqual(dry)
    expect(await updated.clean()).toEqual([])
    expect(aws.functionNames).toEqual([])
    expect(aws.requests.filter(({ action, status }) => status === 403 && action !== 'iam:GetRole')).toEqual(
      [],
    )
  },
)

testImages('a function is put into an image once, and its jobs send no code', async () => {
  const aws = await there.start()
  write('extended')
  const backend = await there.open(section)
  await backend.buildRuntime({ name: 'words:1', file: dockerfile })
  const file = path.join(folder, 'maps.mjs')
  const read = "(await import('node:fs/promises')).readFile('/words.txt', 'utf8')"
  writeFileSync(file, `export const words = async x => ['words of the code', await ${read}, x]\n`)
  await using fexec = new FunctionExecutor({ backend })
  const extend = (on: FunctionExecutor) =>
    on.runtimes.extend({ name: 'words:1', filepath: file, function: 'words' })
  const [first] = await extend(fexec)
  expect(first).toMatchObject({ isBuilt: true, functions: [first?.function.hash] })
  expect(first?.name).toMatch(/\/lithops-ts\/\w+\/words:[0-9a-f]{16}$/)

  aws.clear()
  const toolless = await there.open({ ...section, container_tool: '/no/such/buildah' })
  const config = { serverless: { runtime: first?.name, map_func_mod: file, map_func: 'words' } }
  await using jobs = new FunctionExecutor({ backend: toolless, config })
  expect((await extend(jobs))[0]).toMatchObject({ name: first?.name, isBuilt: false })
  const { words } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    words: (x: number) => Promise<readonly [string, string, number]>
  }
  expect(await jobs.getResult(jobs.map(words, [1]))).toEqual([['words of the code', 'from the image', 1]])
  expect(aws.counts['lambda:CreateFunction']).toBeUndefined()
  const sent = aws.requests.filter(({ action }) => action === 'lambda:Invoke').map(({ body }) => String(body))
  for (const body of sent)
    expect(Buffer.from(body.slice(1, -1), 'base64').includes('words of the code')).toBe(false)
  await backend.clean()
})

testImages('what was never built, or cannot be, is said before a function is made', async () => {
  const aws = await there.start()
  aws.clear()
  const backend = await there.open({ ...section, runtime: 'never' })
  await expect(backend.deployRuntime(backend.defaultRuntime)).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_DEPLOY',
    message: expect.stringContaining('lithops runtime build never -f Dockerfile'),
  })
  writeFileSync(dockerfile, `FROM ${nodeImage}\nCOPY no-such-file /\n`)
  await expect(backend.buildRuntime({ name: 'broken', file: dockerfile })).rejects.toMatchObject({
    code: 'LITHOPS_RUNTIME_BUILD',
    message: expect.stringContaining('no-such-file'),
  })
  await expect(backend.buildRuntime({ name: 'default', file: dockerfile })).rejects.toThrow(/name of its own/)
  await expect(backend.buildRuntime({ name: 'Upper', file: dockerfile })).rejects.toMatchObject({
    code: 'LITHOPS_CONFIG',
  })
  expect(aws.counts['lambda:CreateFunction']).toBeUndefined()
  expect(aws.counts['ecr:CreateRepository']).toBeUndefined()
})
