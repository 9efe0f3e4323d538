import { FunctionExecutor } from '@lithops/core'
import { type NativePackage, type PlatformTarget, packageSetId } from '@lithops/core/driver'
import { crc32 } from '@node-rs/crc32'
import { unzipSync } from 'fflate'
import { describe, expect, test, vi } from 'vitest'
import { workerCode } from '../src/worker-code.ts'
import { cloud } from './cloud.ts'

const there = cloud({ keepBodies: true })
const log = { debug() {}, info() {}, warn() {} }
const checksum = (text: string) => crc32(text)
const twice = (x: number) => x * 2
const X64: PlatformTarget = { platform: 'linux', arch: 'x64', libc: 'glibc', nodeMajor: 24 }
const EM_AARCH64 = 183

/** As a function's capture names it. */
async function packages(): Promise<readonly NativePackage[]> {
  const backend = await there.open()
  const asked: NativePackage[] = []
  const deploy = backend.deployRuntime.bind(backend)
  backend.deployRuntime = (runtime, options) => {
    asked.push(...(runtime.packages ?? []))
    return deploy(runtime, options)
  }
  await using fexec = new FunctionExecutor({ backend })
  await fexec.callAsync(checksum, 'a')
  return asked
}

describe('a function that imports a package with a native addon', () => {
  test('runs with the package of the registry, in a runtime of its own', async () => {
    const aws = await there.start()
    await using fexec = new FunctionExecutor({ backend: await there.open() })
    const futures = fexec.map(checksum, ['a', 'b', 'c'])
    expect(await fexec.getResult(futures)).toEqual(['a', 'b', 'c'].map(text => crc32(text)))
    const [withPackages] = aws.functionNames
    // jobs without it run in the small one, also in the same executor
    expect(await fexec.getResult(fexec.map(twice, [1, 2]))).toEqual([2, 4])
    expect(aws.functionNames).toHaveLength(2)
    expect(await fexec.getResult(fexec.map(checksum, ['d']))).toEqual([crc32('d')])
    expect(aws.functionNames).toHaveLength(2)
    const zips = aws.requests
      .filter(({ action }) => action === 'lambda:CreateFunction')
      .map(({ body }) => JSON.parse(String(body)) as { FunctionName: string; Code: { ZipFile: string } })
    const zip = zips.find(({ FunctionName }) => FunctionName === withPackages)?.Code.ZipFile ?? ''
    const names = Object.keys(unzipSync(Buffer.from(zip, 'base64')))
    expect(names).toEqual(expect.arrayContaining(['index.mjs', 'node_modules/@node-rs/crc32/package.json']))
    expect(names.filter(name => name.endsWith('.node'))).toHaveLength(1)
  })

  test('needs neither registry nor control plane in the next program', async () => {
    const aws = await there.start()
    aws.clear()
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9')
    await using fexec = new FunctionExecutor({ backend: await there.open() })
    expect(await fexec.callAsync(checksum, 'e')).toBe(crc32('e'))
    expect(aws.counts).toEqual({ 'lambda:Invoke': 1 })
    vi.stubEnv('npm_config_registry', undefined)
  })

  test('gets what fits the architecture of the workers: the same bytes each time', async () => {
    const wanted = await packages()
    const arm64 = await workerCode({ drivers: [], packages: wanted, target: { ...X64, arch: 'arm64' } })
    const x64 = await workerCode({ drivers: [], packages: wanted, target: X64 })
    expect(arm64.id).not.toBe(x64.id)
    const { bytes, sha256 } = await arm64.zip({ log })
    const files = unzipSync(bytes)
    const addons = Object.keys(files).filter(name => name.endsWith('.node'))
    expect(addons).toEqual(['node_modules/@node-rs/crc32-linux-arm64-gnu/crc32.linux-arm64-gnu.node'])
    const head = Buffer.from(files[addons[0] ?? ''] ?? [])
    expect(head.toString('latin1', 0, 4)).toBe('\x7fELF')
    expect(head.readUInt16LE(18)).toBe(EM_AARCH64)
    expect((await arm64.zip({ log })).sha256).toBe(sha256)
    expect(packageSetId(wanted, X64)).toMatch(/^[0-9a-f]{32}$/)
  })
})
