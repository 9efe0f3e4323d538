/** Runtimes that have a job's function before the job comes. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { type ComputeDriver, defineConfigSection, field } from '@lithops/core/driver'
import { afterAll, afterEach, expect, test } from 'vitest'
import { HttpPlatform } from './http-platform.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-baked-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

afterEach(() => rmSync(path.join(folder, 'functions'), { recursive: true, force: true }))

async function baked(
  use: (fexec: FunctionExecutor, platform: HttpPlatform, sent: string[]) => Promise<void>,
) {
  const platform = new HttpPlatform({ functionsIn: folder })
  const sent: string[] = []
  const invoke = platform.invoke.bind(platform)
  platform.invoke = (activation, options) => {
    sent.push(Buffer.from(activation.payload).toString('latin1'))
    return invoke(activation, options)
  }
  try {
    await using fexec = new FunctionExecutor({ backend: platform })
    await use(fexec, platform, sent)
  } finally {
    await platform.close()
  }
}

test('activations carry no code, and the same function is deployed once', () =>
  baked(async (fexec, platform, sent) => {
    let rate = 2
    const scale = (x: number) => ['words that are in the code', x * rate]
    expect(await fexec.getResult(fexec.map(scale, [1, 2], once))).toEqual([
      ['words that are in the code', 2],
      ['words that are in the code', 4],
    ])
    rate = 3 // captured values travel with each job
    expect(await fexec.callAsync(scale, 1, once)).toEqual(['words that are in the code', 3])
    expect(sent).toHaveLength(3)
    for (const payload of sent) expect(payload).not.toContain('words that')
    expect(platform.deployments).toBe(1)
    expect(readdirSync(path.join(folder, 'functions'))).toHaveLength(1)
  }))

test('another function is another runtime', () =>
  baked(async (fexec, platform) => {
    expect(await fexec.callAsync((x: number) => x + 1, 1, once)).toBe(2)
    expect(await fexec.callAsync((x: number) => x - 1, 1, once)).toBe(0)
    expect(platform.deployments).toBe(2)
  }))

test('a runtime that was made for another function says so', () =>
  baked(async (fexec, platform) => {
    const invoke = platform.invoke.bind(platform)
    platform.invoke = (activation, options) => {
      rmSync(path.join(folder, 'functions'), { recursive: true })
      return invoke(activation, options)
    }
    await expect(fexec.callAsync((x: number) => x * 7, 1, once).result()).rejects.toMatchObject({
      code: 'LITHOPS_NOT_SUPPORTED',
      message: expect.stringContaining('it was deployed for another one'),
    })
  }))

test('a config that asks for customized runtimes asks each backend that knows them', async () => {
  const asked: unknown[] = []
  const include = field.boolean({ default: false, doc: 'Puts functions into the runtime.' })
  const create = (config: unknown) => {
    asked.push(config)
    return new HttpPlatform()
  }
  const knows = {
    specVersion: 1,
    name: 'knows',
    config: defineConfigSection({ name: 'knows', fields: { runtime_include_function: include } }),
    create,
  } as const
  const other = {
    ...knows,
    name: 'other',
    config: defineConfigSection({ name: 'other', fields: {} }),
  } as const
  const open = async (backend: typeof knows | typeof other, section: object) => {
    const config = { serverless: { customized_runtime: true }, ...section }
    await using fexec = new FunctionExecutor({ backend: backend as ComputeDriver, config })
    await fexec.runtimes.list()
  }
  await open(knows, {})
  await open(knows, { knows: { runtime_include_function: false } })
  await open(other, {})
  expect(asked).toEqual([{ runtime_include_function: true }, { runtime_include_function: false }, {}])
  const wrong = { serverless: { customized_runtime: 'perhaps' } }
  await expect(async () => new FunctionExecutor({ config: wrong }).runtimes.list()).rejects.toThrow(
    "serverless.customized_runtime must be true or false, not 'perhaps'",
  )
})
