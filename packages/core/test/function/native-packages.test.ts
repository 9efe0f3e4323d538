import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { crc32 } from '@node-rs/crc32'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  installPackages,
  type NativePackage,
  type PlatformTarget,
  packageSetId,
} from '../../src/driver/index.ts'
import { captureFunction } from '../../src/function/index.ts'
import { FunctionExecutor } from '../../src/index.ts'
import { instantiateFunction, type ModuleFactory } from '../../src/worker/instantiate.ts'

const checksum = (text: string) => crc32(text)
const X64: PlatformTarget = { platform: 'linux', arch: 'x64', libc: 'glibc', nodeMajor: 22 }
const ARM64: PlatformTarget = { ...X64, arch: 'arm64' }
const EM_X86_64 = 62
const EM_AARCH64 = 183

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'native-packages-'))
  vi.stubEnv('LITHOPS_CACHE_DIR', path.join(folder, 'cache'))
})
afterEach(() => vi.restoreAllMocks())
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

describe('a function that imports a package with a native addon', () => {
  test('names it, with the exact versions of what is installed, and does not bundle it', async () => {
    const { externalPackages, read } = await captureFunction(checksum).bundle()
    const { version } = JSON.parse(
      readFileSync(path.join(externalPackages[0]?.folder ?? '', 'package.json'), 'utf8'),
    )
    expect(externalPackages).toEqual([
      expect.objectContaining({ name: '@node-rs/crc32', version, dependencies: expect.any(Object) }),
    ])
    const parts = Object.values(externalPackages[0]?.dependencies ?? {})
    expect(parts.map(part => part.version)).toContain(version)
    expect(String(await read())).not.toContain('linux-x64-gnu')
  })

  test('runs on this machine with the package as it is installed here', async () => {
    await using fexec = new FunctionExecutor()
    expect(await fexec.getResult(fexec.map(checksum, ['a', 'b']))).toEqual([crc32('a'), crc32('b')])
  })

  test('runs elsewhere with the package of the folder beside it', async () => {
    const { bundle, env } = captureFunction(checksum)
    const { externalPackages, read } = await bundle()
    const { folder: modules } = await installPackages(externalPackages, X64)
    const elsewhere = path.join(folder, 'elsewhere')
    mkdirSync(elsewhere)
    symlinkSync(modules, path.join(elsewhere, 'node_modules'))
    // there is nothing at the place where the program found it
    const code = String(await read()).replaceAll(externalPackages[0]?.folder ?? '', '/nowhere')
    expect(code).toContain('/nowhere')
    writeFileSync(path.join(elsewhere, 'function.mjs'), code)
    const { default: factory } = (await import(pathToFileURL(path.join(elsewhere, 'function.mjs')).href)) as {
      default: ModuleFactory
    }
    const fn = instantiateFunction(factory, env).fn as typeof checksum
    expect(fn('a')).toBe(crc32('a'))
  })
})

describe('packages for another platform', () => {
  const wanted = async () => (await captureFunction(checksum).bundle()).externalPackages

  test.each([
    ['arm64', ARM64, EM_AARCH64],
    ['x64', X64, EM_X86_64],
  ] as const)('have addons for it, and no others: %s', async (arch, target, machine) => {
    const { files } = await installPackages(await wanted(), target)
    const addons = files.filter(({ path }) => path.endsWith('.node'))
    expect(addons.map(({ packageName }) => packageName)).toEqual([`@node-rs/crc32-linux-${arch}-gnu`])
    const head = readFileSync(addons[0]?.file ?? '').subarray(0, 20)
    expect(head.toString('latin1', 0, 4)).toBe('\x7fELF')
    expect(head.readUInt16LE(18)).toBe(machine)
    const [one] = await wanted()
    const manifest = files.find(({ path }) => path === '@node-rs/crc32/package.json')
    expect(JSON.parse(readFileSync(manifest?.file ?? '', 'utf8')).version).toBe(one?.version)
  })

  test('are fetched once', async () => {
    const { folder: modules } = await installPackages(await wanted(), ARM64)
    // what is there is not looked at again, so that no registry is needed
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9')
    expect((await installPackages(await wanted(), ARM64)).folder).toBe(modules)
    vi.stubEnv('npm_config_registry', undefined)
  })

  test('have another identity for each platform and version', async () => {
    const [one] = (await wanted()) as [NativePackage]
    const ids = [
      packageSetId([one], X64),
      packageSetId([one], ARM64),
      packageSetId([one], { ...X64, nodeMajor: 24 }),
      packageSetId([{ ...one, version: '1.0.0' }], X64),
      packageSetId([{ ...one, dependencies: { a: { version: '1.0.0' } } }], X64),
    ]
    expect(new Set(ids).size).toBe(ids.length)
    expect(packageSetId([{ ...one, folder: '/other' }], X64)).toBe(ids[0])
  })

  test('that the registry does not have are refused with the words of npm', async () => {
    const [one] = (await wanted()) as [NativePackage]
    const missing = { ...one, version: '0.0.0-none' }
    await expect(installPackages([missing], X64)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringContaining('0.0.0-none'),
    })
  })

  test('that have no binary for it are refused by name', async () => {
    // pure JavaScript: no addon will ever be found
    const plain: NativePackage = { name: 'nanoid', version: '5.1.5', folder: '/nowhere', dependencies: {} }
    await expect(installPackages([plain], ARM64)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringMatching(/no binary of nanoid@5\.1\.5 for linux arm64/),
    })
  })
})

/** The head of an ELF file for a machine, and what else is looked for. */
const ELF_ADDON = `
const { writeFileSync } = require('node:fs')
const { npm_config_arch: arch, npm_config_target: node, npm_config_platform: platform } = process.env
const head = Buffer.alloc(64)
head.write('\\x7fELF', 'latin1')
head.writeUInt16LE(arch === 'arm64' ? ${EM_AARCH64} : ${EM_X86_64}, 18)
const text = process.env.MADE_WITH ?? 'GLIBC_2.17'
writeFileSync('made.node', Buffer.concat([head, Buffer.from(['napi_register_module_v1', text].join(' '))]))
writeFileSync('told.json', JSON.stringify({ arch, node, platform }))
`

describe('packages whose install script brings the binary, as that of better-sqlite3 does', () => {
  /** Packed as the registry has it: without any binary. */
  function packed(name: string, script: string): NativePackage {
    const source = path.join(folder, name)
    mkdirSync(source)
    const manifest = { name, version: '1.0.0', scripts: { install: 'node install.cjs' } }
    writeFileSync(path.join(source, 'package.json'), JSON.stringify(manifest))
    writeFileSync(path.join(source, 'install.cjs'), script)
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: source })
    const version = `file:${path.join(folder, `${name}-1.0.0.tgz`)}`
    return { name, version, folder: '/nowhere', dependencies: {} }
  }

  test.each([
    ['arm64', ARM64, EM_AARCH64],
    ['x64', { ...X64, glibc: '2.34' }, EM_X86_64],
  ] as const)('get it for the target, which the script is told: %s', async (arch, target, machine) => {
    const { files } = await installPackages([packed(`made-for-${arch}`, ELF_ADDON)], target)
    const read = (name: string) => readFileSync(files.find(({ path }) => path.endsWith(name))?.file ?? '')
    expect(read('made.node').readUInt16LE(18)).toBe(machine)
    expect(JSON.parse(String(read('told.json')))).toEqual({ arch, node: '22.0.0', platform: 'linux' })
  })

  test('are refused with what to do where the script fails, or makes one that cannot be loaded there', async () => {
    await expect(installPackages([packed('fails', 'process.exit(1)')], ARM64)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringMatching(
        /no binary of fails@[\s\S]* its install script made none\. Use a version/,
      ),
    })
    const newer = packed('newer', `process.env.MADE_WITH = 'GLIBC_2.17 GLIBC_2.38'\n${ELF_ADDON}`)
    await expect(installPackages([newer], { ...X64, glibc: '2.34' })).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringContaining('needs glibc 2.38, and there it is 2.34'),
    })
  })
})
