import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { type ExecutorOptions, FunctionExecutor } from '@lithops/core'
import type { FakeCodeEngine } from '@lithops/fake-clouds/code-engine'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, afterEach, expect } from 'vitest'
import { cloud } from './cloud.ts'

// Jobs whose function is in their image. Results come by RabbitMQ, and there is no storage: what is sent is in config maps.

const WORDS = 'words of the code'
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-extended-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const there = cloud({ projects: ['there'] })
const broker = withRealPart(rabbitmq)
afterEach(async () => (await there.start()).clear())

async function open(
  section: Record<string, unknown> = {},
  serverless: Record<string, unknown> = {},
): Promise<FunctionExecutor> {
  const backend = await there.open({ project_name: 'there', ...section })
  const config: ExecutorOptions['config'] = {
    lithops: { storage: 'storageless', rabbitmq_monitor: true },
    rabbitmq: { amqp_url: broker.part.url },
    serverless,
  }
  return new FunctionExecutor({ backend, config })
}

async function program(name: string) {
  const filepath = path.join(folder, `${name}.ts`)
  writeFileSync(
    filepath,
    `export function scale(x: number) { return ['${WORDS} ${name}', x * 5] as const }\n`,
  )
  const module = (await import(/* @vite-ignore */ pathToFileURL(filepath).href)) as {
    scale: (x: number) => readonly [string, number]
  }
  return { filepath, scale: module.scale }
}

/** The activations of all runs that were asked for, unpacked. */
const batchesOf = ({ requests }: FakeCodeEngine) =>
  requests
    .filter(({ action }) => action === 'POST config_maps')
    .map(({ body }) => (JSON.parse(body) as { readonly data: { readonly batch: string } }).data.batch)
    .map(batch => brotliDecompressSync(Buffer.from(batch, 'base64')))

const carried = (cloud: FakeCodeEngine) => batchesOf(cloud).filter(batch => batch.includes(WORDS)).length
const pushesOf = ({ registry }: FakeCodeEngine, name: string) =>
  registry.requests.filter(request => request.startsWith(`PUT ${name}:`))

broker.test(
  'two clients extend a runtime at once: it is built once, and its jobs carry no code',
  async () => {
    const cloud = await there.start()
    const { filepath, scale } = await program('ahead')
    await using sending = await open()
    expect(await sending.getResult(sending.map(scale, [1, 2]))).toEqual([
      [`${WORDS} ahead`, 5],
      [`${WORDS} ahead`, 10],
    ])
    expect(carried(cloud)).toBe(1)
    const [sent = Buffer.alloc(0)] = batchesOf(cloud)

    await using one = await open()
    await using other = await open()
    const extended = await Promise.all(
      [one, other].map(fexec => fexec.runtimes.extend({ name: 'default', filepath, function: 'scale' })),
    )
    const [[first], [second]] = extended as [(typeof extended)[0], (typeof extended)[0]]
    expect(second?.name).toBe(first?.name)
    expect([first?.isBuilt, second?.isBuilt].sort()).toEqual([false, true])
    expect(pushesOf(cloud, 'lithops_runtime')).toHaveLength(2) // the function over the base, and the worker over that
    expect(first?.functions).toEqual([first?.function.hash])

    cloud.clear()
    const runtime = first?.name
    await using jobs = await open({ runtime }, { map_func_mod: filepath, map_func: 'scale' })
    expect(await jobs.getResult(jobs.map(scale, [1, 2]))).toEqual([
      [`${WORDS} ahead`, 5],
      [`${WORDS} ahead`, 10],
    ])
    expect(batchesOf(cloud)).toHaveLength(1)
    expect(carried(cloud)).toBe(0)
    const [bare = Buffer.alloc(0)] = batchesOf(cloud)
    // each of the two activations had the code
    expect(sent.length - bare.length).toBeGreaterThan(2 * WORDS.length)
    // the second program of the user asks for nothing again
    expect(cloud.runs).toHaveLength(1)
  },
)

broker.test(
  'a map of another function than the runtime has is an error, before anything is sent',
  async () => {
    const cloud = await there.start()
    const { filepath } = await program('ahead')
    const other = await program('another')
    await using extending = await open()
    const [extended] = await extending.runtimes.extend({ name: 'default', filepath, function: 'scale' })
    cloud.clear()
    const serverless = { map_func_mod: other.filepath, map_func: 'scale' }
    await using jobs = await open({ runtime: extended?.name }, serverless)
    await expect(jobs.getResult(jobs.map(other.scale, [1]))).rejects.toMatchObject({
      code: 'LITHOPS_CONFIG',
      message: expect.stringMatching(/does not have the function 'scale' as it is now.*runtime extend/s),
    })
    expect(batchesOf(cloud)).toEqual([])
  },
)

broker.test('runtime_include_function: two programs at once make one image, and send no code', async () => {
  const cloud = await there.start()
  const { scale } = await program('by-itself')
  const before = pushesOf(cloud, 'lithops-worker-ts').length
  const programs = await Promise.all([1, 2].map(() => open({ runtime_include_function: true })))
  const results = await Promise.all(programs.map(fexec => fexec.getResult(fexec.map(scale, [3]))))
  expect(results).toEqual(Array(2).fill([[`${WORDS} by-itself`, 15]]))
  expect(pushesOf(cloud, 'lithops-worker-ts').length - before).toBe(1)
  expect([batchesOf(cloud).length, carried(cloud)]).toEqual([2, 0])
  await Promise.all(programs.map(fexec => fexec.close()))
})
