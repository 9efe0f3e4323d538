/** Runtimes that have a function by `runtimes.extend`, and jobs whose config names it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { exported, FunctionExecutor } from '@lithops/core'
import {
  type ExtendedRuntime,
  MONITOR_SPEC_VERSION,
  type Monitor,
  MonitorError,
  type RuntimeExtension,
} from '@lithops/core/driver'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { functionFiles } from '../src/index.ts'
import { HttpPlatform } from './http-platform.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const root = mkdtempSync(path.join(tmpdir(), 'lithops-test-extended-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
})

type Scale = (x: number) => readonly [string, number]

const MAPS = `let rate = 2
export function scale(x) { return ['words of the code', x * rate] }
export const other = x => ['words of the other', x]
`

/** Files of a program of its own. */
async function program(name: string, text = MAPS) {
  const file = path.join(root, name, 'maps.mjs')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  const module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { scale: Scale; other: Scale }
  return { file, ...module }
}

/** A container of whose images this is the folder. */
class ExtendablePlatform extends HttpPlatform {
  readonly sent: Buffer[] = []
  readonly extensions: ExtendedRuntime[] = []
  readonly #folder: string

  constructor(folder: string, bakesFunctions = false) {
    super({ functionsIn: folder, bakesFunctions })
    this.#folder = folder
  }

  async extendRuntime({ base, functions }: RuntimeExtension): Promise<ExtendedRuntime> {
    const name = `${base}:${functions.map(({ hash }) => hash).join('-')}`
    const isBuilt = functions.some(
      ({ hash }) => !existsSync(path.join(this.#folder, `functions/${hash}.mjs`)),
    )
    if (isBuilt) {
      for (const [file, bytes] of Object.entries(await functionFiles(functions))) {
        mkdirSync(path.dirname(path.join(this.#folder, file)), { recursive: true })
        writeFileSync(path.join(this.#folder, file), bytes)
      }
      await this.deleteRuntime()
    }
    const extended = { name, isBuilt }
    this.extensions.push(extended)
    return extended
  }

  override invoke(...[activation, options]: Parameters<HttpPlatform['invoke']>) {
    this.sent.push(Buffer.from(activation.payload))
    return super.invoke(activation, options)
  }
}

async function on(
  name: string,
  use: (platform: ExtendablePlatform) => Promise<void>,
  bakesFunctions = false,
): Promise<void> {
  const platform = new ExtendablePlatform(path.join(root, `${name}-image`), bakesFunctions)
  try {
    await use(platform)
  } finally {
    await platform.close()
  }
}

const configOf = (file: string, map_func = 'scale', runtime = 'default') => ({
  serverless: { runtime, map_func_mod: file, map_func },
})

test('is extended once for the same content, and its jobs send no code', () =>
  on('once', async platform => {
    const { file, scale } = await program('once')
    await using fexec = new FunctionExecutor({ backend: platform })
    const extend = () => fexec.runtimes.extend({ name: 'default', filepath: file, function: 'scale' })
    const [first] = await extend()
    expect(first).toMatchObject({
      backend: 'http_platform',
      isBuilt: true,
      function: { name: 'scale', file },
      functions: [first?.function.hash],
    })
    const [second] = await extend()
    expect(second).toMatchObject({ name: first?.name, isBuilt: false })
    await using jobs = new FunctionExecutor({
      backend: platform,
      config: configOf(file, 'scale', first?.name),
    })
    expect(await jobs.getResult(jobs.map(scale, [1, 2], once))).toEqual([
      ['words of the code', 2],
      ['words of the code', 4],
    ])
    expect(platform.sent).toHaveLength(2)
    for (const payload of platform.sent) {
      expect(payload.includes('words of the code')).toBe(false)
      expect(payload.length).toBeLessThan(600)
    }
    expect(platform.deployments).toBe(1)
    // other jobs of the same executor send theirs
    expect(await jobs.callAsync((x: number) => ['sent', x] as const, 1, once)).toEqual(['sent', 1])
    expect(platform.sent.at(-1)?.includes('sent')).toBe(true)
  }))

test('the module may be named without its ending, from the folder of the config file', () =>
  on('named', async platform => {
    const { file, scale } = await program('named')
    await using fexec = new FunctionExecutor({ backend: platform })
    await fexec.runtimes.extend({ filepath: file, function: 'scale' })
    const configFile = path.join(path.dirname(file), 'config.yaml')
    writeFileSync(configFile, 'serverless:\n  map_func_mod: maps\n  map_func: scale\n')
    await using jobs = new FunctionExecutor({ backend: platform, configFile })
    expect(await jobs.getResult(jobs.map(scale, [3], once))).toEqual([['words of the code', 6]])
  }))

describe('another function than the one that the runtime has', () => {
  test('of another file, or another export, is refused', () =>
    on('other', async platform => {
      const { file, scale, other } = await program('other')
      await using fexec = new FunctionExecutor({ backend: platform })
      await fexec.runtimes.extend({ filepath: file, function: 'scale' })
      await using jobs = new FunctionExecutor({ backend: platform, config: configOf(file) })
      const local = (x: number) => x
      expect(() => jobs.map(local, [1], once)).toThrow(
        /The function 'local' given to map is defined in .*extended\.test\.ts, and the runtime has 'scale' of .*maps\.mjs/,
      )
      expect(() => jobs.map(exported(local, file, 'others'), [1], once)).toThrow(
        /is what .* exports as 'others'/,
      )
      await expect(jobs.getResult(jobs.map(other, [1], once))).rejects.toThrow(
        /exports something else as 'scale'/,
      )
      expect(platform.sent).toEqual([])
      expect(await jobs.getResult(jobs.map(exported(scale, file), [1], once))).toEqual([
        ['words of the code', 2],
      ])
    }))

  test('of the same name that has changed since is refused, with what to do', () =>
    on('changed', async platform => {
      const { file } = await program('changed')
      await using fexec = new FunctionExecutor({ backend: platform })
      await fexec.runtimes.extend({ filepath: file, function: 'scale' })
      const { file: newer, scale } = await program('changed-later', MAPS.replace('rate = 2', 'rate = 3'))
      await using jobs = new FunctionExecutor({ backend: platform, config: configOf(newer) })
      await expect(jobs.getResult(jobs.map(scale, [1], once))).rejects.toMatchObject({
        code: 'LITHOPS_CONFIG',
        message: expect.stringMatching(
          /'default' does not have the function 'scale' as it is now, but another version.*lithops runtime extend BASE_RUNTIME_NAME --filepath FILE --function scale -b http_platform/,
        ),
      })
      expect(platform.sent).toEqual([])
    }))

  test('is put there by itself where the config asks for customized runtimes', () =>
    on(
      'customized',
      async platform => {
        const { file, scale } = await program('customized')
        await using jobs = new FunctionExecutor({ backend: platform, config: configOf(file) })
        expect(await jobs.getResult(jobs.map(scale, [1], once))).toEqual([['words of the code', 2]])
        expect(platform.sent.every(payload => !payload.includes('words of the code'))).toBe(true)
        expect(platform.deployments).toBe(1)
      },
      true,
    ))
})

test('a broker that cannot be reached keeps no runtime from being deployed', () =>
  on('unreachable', async platform => {
    const { file } = await program('unreachable')
    const told: string[] = []
    vi.spyOn(process.stderr, 'write').mockImplementation(text => told.push(String(text)) > 0)
    const monitor: Monitor = {
      specVersion: MONITOR_SPEC_VERSION,
      name: 'away',
      workerModule: '/no/such/module.mjs',
      watch: async function* () {},
      publisherAddress: async () => {
        throw new MonitorError('The broker is away.')
      },
      forget: async () => {},
      close: async () => {},
    }
    const monitoring = { specVersion: MONITOR_SPEC_VERSION, name: 'away', create: () => monitor } as const
    await using fexec = new FunctionExecutor({ backend: platform, monitoring })
    const [extended] = await fexec.runtimes.extend({ filepath: file, function: 'scale' })
    expect(extended?.isBuilt).toBe(true)
    expect(told.join('')).toContain('deployed now, but by the first job: The broker is away.')
  }))

test('a backend without such runtimes says so', async () => {
  const { file, scale } = await program('without')
  const platform = new HttpPlatform()
  try {
    await using fexec = new FunctionExecutor({ backend: platform, config: configOf(file) })
    await expect(fexec.runtimes.extend({ filepath: file, function: 'scale' })).rejects.toMatchObject({
      code: 'LITHOPS_NOT_SUPPORTED',
      message: 'http_platform has no runtimes that functions are put into: it sends them with each job.',
    })
    await expect(fexec.getResult(fexec.map(scale, [1], once))).rejects.toThrow(
      /http_platform has no runtimes that functions are put into: leave map_func_mod and map_func out/,
    )
  } finally {
    await platform.close()
  }
})

test('what is wrong with the function is said before anything is built', () =>
  on('wrong', async platform => {
    const { file } = await program('wrong')
    await using fexec = new FunctionExecutor({ backend: platform })
    const extend = (filepath: string, name: string) => fexec.runtimes.extend({ filepath, function: name })
    await expect(extend(file, 'scael')).rejects.toThrow(
      /exports nothing called 'scael'\. Did you mean 'scale'\?/,
    )
    await expect(extend('/no/such/maps.ts', 'scale')).rejects.toThrow(
      'filepath: there is no file /no/such/maps.ts',
    )
    await expect(extend(file, '')).rejects.toThrow(/function must be the name of an export/)
    expect(platform.extensions).toEqual([])
    expect(platform.deployments).toBe(0)
  }))

describe('the section serverless', () => {
  test.each([
    [{ map_func: 'scale' }, 'serverless.map_func is given without map_func_mod'],
    [{ map_func_mod: 'maps' }, 'serverless.map_func_mod is given without map_func'],
    [{ map_function: 'scale' }, "serverless.map_function is not a known key. Did you mean 'map_func_mod'?"],
    [{ customized_runtime: 'perhaps' }, 'serverless.customized_runtime must be true or false'],
  ])('%j', (serverless, message) => {
    expect(() => new FunctionExecutor({ config: { serverless } })).toThrow(message)
  })

  test('changes nothing on this machine, whose workers see the files', async () => {
    const { file, scale } = await program('here')
    await using fexec = new FunctionExecutor({
      backend: 'localhost',
      config: configOf(file, 'scale', 'some-image:1'),
    })
    expect(await fexec.getResult(fexec.map(scale, [2], once))).toEqual([['words of the code', 4]])
  })
})
