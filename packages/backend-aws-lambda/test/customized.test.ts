/** Code of functions in the zip of a runtime: by `customized_runtime`, and by `lithops runtime extend`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { afterAll, describe, expect, test } from 'vitest'
import type { AwsLambdaBackend } from '../src/aws-lambda-backend.ts'
import { UNPACKED_CODE_BYTES } from '../src/limits.ts'
import { describe as describeFunction, factsIn } from '../src/names.ts'
import { makeZip } from '../src/worker-zip.ts'
import { cloud } from './cloud.ts'

const there = cloud({ keepBodies: true })
const root = mkdtempSync(path.join(tmpdir(), 'lithops-test-customized-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

type Scale = (x: number) => readonly [string, number]

async function messages(use: () => Promise<void>) {
  const aws = await there.start()
  aws.clear()
  await use()
  const sent = aws.requests
    .filter(({ action }) => action === 'lambda:Invoke')
    .map(({ body }) => String(body))
    .filter(body => body.startsWith('"'))
    .map(body => Buffer.from(JSON.parse(body) as string, 'base64'))
  return { sent, created: aws.counts['lambda:CreateFunction'] ?? 0 }
}

const run = async (backend: AwsLambdaBackend, fn: Scale, x = 1) => {
  await using fexec = new FunctionExecutor({ backend })
  return (await fexec.getResult(fexec.map(fn, [x])))[0]
}

describe('customized runtimes', () => {
  const section = { runtime_include_function: true }
  const scale = (x: number) => ['words of the code', x * 2] as const
  const shrink = (x: number) => ['words of the other', x / 2] as const

  test('have the code of their functions, which is made and uploaded once for the same content', async () => {
    const { sent, created } = await messages(async () => {
      expect(await run(await there.open(section), scale, 4)).toEqual(['words of the code', 8])
      expect(await run(await there.open(section), scale, 5)).toEqual(['words of the code', 10])
      there.newCache()
      expect(await run(await there.open(section), scale, 6)).toEqual(['words of the code', 12])
      expect(await run(await there.open(section), shrink, 4)).toEqual(['words of the other', 2])
    })
    expect(created).toBe(2)
    expect(sent).toHaveLength(4)
    for (const message of sent) expect(message.includes('words of the')).toBe(false)
  })

  test('are listed with their functions, and cleaned', async () => {
    const backend = await there.open(section)
    const listed = await backend.listRuntimes()
    expect(listed.map(({ name, functions }) => [name, functions])).toEqual(
      expect.arrayContaining([
        ['default', ['scale']],
        ['default', ['shrink']],
      ]),
    )
    const removed = await backend.clean()
    expect(removed.length).toBeGreaterThanOrEqual(listed.length)
    expect(await backend.listRuntimes()).toEqual([])
  })

  test('of a size that Lambda does not take are refused before anything is uploaded', async () => {
    const code = new Uint8Array(UNPACKED_CODE_BYTES)
    await expect(
      makeZip({
        code: new Uint8Array(1),
        contributors: [],
        functions: [{ name: 'huge', path: 'functions/huge.mjs', code }],
        files: [],
      }),
    ).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringMatching(
        /250\.0 MiB unpacked, and AWS Lambda takes 250\.0 MiB.*function huge 250\.0 MiB/,
      ),
    })
  })
})

describe('lithops runtime extend', () => {
  async function program(name: string, rate: number) {
    const file = path.join(root, name, 'maps.mjs')
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, `export const scale = x => ['words of the code', x * ${rate}]\n`)
    return { file, ...((await import(/* @vite-ignore */ pathToFileURL(file).href)) as { scale: Scale }) }
  }
  const extend = async (file: string, base = 'default') => {
    await using fexec = new FunctionExecutor({ backend: await there.open() })
    const [extended] = await fexec.runtimes.extend({ name: base, filepath: file, function: 'scale' })
    if (extended === undefined) throw new Error('there is no backend')
    return extended
  }

  test('deploys a zip with the function, once, under a name that configs have', async () => {
    const { file, scale } = await program('one', 3)
    let name = ''
    const first = await messages(async () => {
      const extended = await extend(file)
      name = extended.name
      expect(extended).toMatchObject({ isBuilt: true, functions: [extended.function.hash] })
      expect(name).toBe(`default:${extended.function.hash}`)
    })
    expect(first.created).toBe(1)
    const { sent, created } = await messages(async () => {
      expect(await extend(file)).toMatchObject({ name, isBuilt: false })
      there.newCache()
      const config = { serverless: { runtime: name, map_func_mod: file, map_func: 'scale' } }
      await using fexec = new FunctionExecutor({ backend: await there.open(), config })
      expect(await fexec.getResult(fexec.map(scale, [2]))).toEqual([['words of the code', 6]])
    })
    expect(created).toBe(0)
    expect(sent).toHaveLength(1)
    expect(sent[0]?.includes('words of the code')).toBe(false)
    const [listed] = (await (await there.open()).listRuntimes()).filter(one => one.name === name)
    expect(listed?.functions).toEqual(['scale'])
  })

  test('a job that asks for another memory than what is deployed is told so', async () => {
    const { file, scale } = await program('memory', 4)
    const { name } = await extend(file)
    const config = { serverless: { runtime: name, map_func_mod: file, map_func: 'scale' } }
    await using fexec = new FunctionExecutor({ backend: await there.open({ runtime_memory: 512 }), config })
    await expect(fexec.getResult(fexec.map(scale, [2]))).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(
        /is not deployed with what this config asks of it.*lithops runtime extend/,
      ),
    })
  })

  test('a base that was never built is said', async () => {
    const { file } = await program('base', 5)
    await expect(extend(file, 'never:1')).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringContaining('lithops runtime build never:1 -f Dockerfile -b aws_lambda'),
    })
  })
})

test('descriptions tell runtime, version and functions, and fit', () => {
  const facts = { runtime: 'default', version: '1.2.3', functions: ['scale', 'shrink'] }
  expect(factsIn(describeFunction(facts))).toEqual(facts)
  expect(factsIn(describeFunction({ ...facts, functions: [] }))).toEqual({ ...facts, functions: [] })
  expect(describeFunction({ ...facts, functions: ['f'.repeat(500)] }).length).toBeLessThanOrEqual(256)
  expect(factsIn('somebody else’s')).toBeUndefined()
})
