import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { computeConformance } from '@lithops/core/testing'
import { type FakeKnativeOptions, ImageRegistry } from '@lithops/fake-clouds/knative'
import { containerTools, dockerRegistryWithPassword } from '@lithops/fake-clouds/real-parts'
import { crc32 } from '@node-rs/crc32'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cluster } from './cluster.ts'

// The same with real images: built by buildah, pushed to and pulled from a real registry with a password, and run as
// containers of podman with limits of memory and processors.

const missing = containerTools.missing() ?? dockerRegistryWithPassword.missing()
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-runtime-'))
const parts: { close(): Promise<void> }[] = []
const options: { -readonly [K in keyof FakeKnativeOptions]: FakeKnativeOptions[K] } = { mostPods: 2 }
const there = cluster(options)
const section: Record<string, unknown> = { container_tool: 'buildah', max_workers: 4, runtime_memory: 256 }
let nodeImage = ''

beforeAll(async () => {
  if (missing !== undefined) return
  const tools = await containerTools.start()
  const registry = await dockerRegistryWithPassword.start()
  parts.push(tools, registry)
  for (const [name, value] of Object.entries(tools.env)) process.env[name] = value
  nodeImage = tools.nodeImage
  options.containers = tools
  options.registry = await ImageRegistry.start()
  Object.assign(section, {
    docker_server: registry.host,
    docker_user: registry.user,
    docker_password: registry.password,
    base_image: nodeImage,
  })
}, 120_000)
afterAll(async () => {
  for (const part of parts) await part.close()
  rmSync(folder, { recursive: true, force: true })
}, 120_000)

function testContainers(name: string, run: () => Promise<void> | void): void {
  test(name, { timeout: 180_000 }, async context => {
    if (missing !== undefined) context.skip(missing)
    await run()
  })
}

describe('the kit', () => {
  computeConformance({
    test: testContainers,
    createBackend: () => there.open(section),
    timing: { callMs: 90_000, stopMs: 20_000, manyCalls: 100 },
  })
})

testContainers(
  'a runtime of one’s own is built, deployed by its digest, and noticed when it was built anew',
  async () => {
    const knative = await there.start()
    const own = { ...section, runtime: 'words:1' }
    const dockerfile = path.join(folder, 'Dockerfile')
    const write = (word: string) => {
      writeFileSync(path.join(folder, 'words.txt'), word)
      writeFileSync(dockerfile, `FROM ${nodeImage}\nENV WORD=${word}\nCOPY words.txt /words.txt\n`)
    }
    const run = async () => {
      const backend = await there.open(own)
      await using fexec = new FunctionExecutor({ backend })
      return await fexec.callAsync(async () => {
        const { readFile } = await import('node:fs/promises')
        return [await readFile('/words.txt', 'utf8'), process.env.WORD, process.getuid?.()]
      }, undefined)
    }
    const never = await there.open(own)
    await expect(never.deployRuntime(never.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringContaining('lithops runtime build words:1 -f Dockerfile'),
    })
    write('one')
    await (await there.open(own)).buildRuntime({ name: 'words:1', file: dockerfile })
    expect(await run()).toEqual(['one', 'one', 1000])
    expect(knative.text('services')).toMatch(/\/pusher\/words@sha256:[0-9a-f]{64}/)
    write('two')
    await (await there.open(own)).buildRuntime({ name: 'words:1', file: dockerfile })
    expect(await run()).toEqual(['two', 'two', 1000])
    const backend = await there.open(own)
    await backend.clean()
    expect([...knative.names('services'), ...knative.names('pods'), ...knative.names('secrets')]).toEqual([])
  },
)

testContainers('a function is put into an image once, and its jobs send no code', async () => {
  const knative = await there.start()
  const file = path.join(folder, 'maps.mjs')
  writeFileSync(file, "export const scale = x => ['words of the code', x * 3, process.getuid()]\n")
  const { scale } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    scale: (x: number) => readonly [string, number, number]
  }
  const extend = async (own: Record<string, unknown>) => {
    await using fexec = new FunctionExecutor({ backend: await there.open({ ...section, ...own }) })
    const [extended] = await fexec.runtimes.extend({ name: 'default', filepath: file, function: 'scale' })
    return extended
  }
  const first = await extend({})
  expect(first).toMatchObject({ isBuilt: true, functions: [first?.function.hash] })
  expect(first?.name).toMatch(/\/pusher\/lithops_runtime:[0-9a-f]{16}$/)
  expect(await extend({ container_tool: '/no/such/podman' })).toMatchObject({
    name: first?.name,
    isBuilt: false,
  })
  const before = knative.activations.length
  const backend = await there.open({ ...section, container_tool: '/no/such/podman' })
  const config = { serverless: { runtime: first?.name, map_func_mod: file, map_func: 'scale' } }
  await using fexec = new FunctionExecutor({ backend, config })
  expect(await fexec.getResult(fexec.map(scale, [1, 2]))).toEqual([
    ['words of the code', 3, 1000],
    ['words of the code', 6, 1000],
  ])
  for (const { body } of knative.activations.slice(before))
    expect(body.includes('words of the code')).toBe(false)
  await backend.clean()
})

testContainers(
  'a container that is over its memory is killed by the kernel, and the call says so',
  async () => {
    const backend = await there.open(section)
    await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
    const hoard = fexec.callAsync(async () => {
      const kept: Buffer[] = []
      for (;;) {
        kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
        await new Promise(done => setTimeout(done, 5))
      }
    }, 0)
    await expect(hoard.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_OUT_OF_MEMORY' })
    await backend.clean()
  },
)

testContainers('a package with a native addon is laid beside the worker', async () => {
  const backend = await there.open(section)
  await using fexec = new FunctionExecutor({ backend })
  const checksum = (text: string) => crc32(text)
  expect(await fexec.getResult(fexec.map(checksum, ['a', 'b']))).toEqual([crc32('a'), crc32('b')])
  await backend.clean()
})

testContainers('a runtime of one’s own has sharp, which this machine has not', async () => {
  const context = path.join(folder, 'sharp')
  mkdirSync(context)
  writeFileSync(path.join(context, 'package.json'), '{"private":true}')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', 'sharp@0.34'], { cwd: context, stdio: 'pipe' })
  const dockerfile = path.join(context, 'Dockerfile')
  writeFileSync(dockerfile, `FROM ${nodeImage}\nCOPY node_modules /usr/local/lib/node_modules\n`)
  const own = { ...section, runtime: 'with-sharp:1', runtime_memory: 512 }
  const backend = await there.open(own)
  await backend.buildRuntime({ name: 'with-sharp:1', file: dockerfile })
  await using fexec = new FunctionExecutor({ backend })
  const draw = async (side: number) => {
    const name = 'sharp'
    const { default: sharp } = await import(name)
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"/>`
    const { width, format } = await sharp(await sharp(Buffer.from(svg)).png().toBuffer()).metadata()
    return [width, format]
  }
  expect(await fexec.getResult(fexec.map(draw, [7, 9]))).toEqual([
    [7, 'png'],
    [9, 'png'],
  ])
  await backend.clean()
})
