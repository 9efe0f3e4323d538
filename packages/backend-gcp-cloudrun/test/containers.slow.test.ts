import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { computeConformance } from '@lithops/core/testing'
import { batchContainerKit, withMinio } from '@lithops/fake-clouds/batch-suite'
import type { FakeCloudRunOptions } from '@lithops/fake-clouds/cloudrun'
import { containerTools, dockerRegistry } from '@lithops/fake-clouds/real-parts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { platform } from './platform.ts'

// The same with real images: built by buildah, pushed to and pulled from a real registry, and run as containers of podman
// with limits of memory and processors.

const missing = containerTools.missing() ?? dockerRegistry.missing()
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-runtime-'))
const parts: { close(): Promise<void> }[] = []
const options: { -readonly [K in keyof FakeCloudRunOptions]: FakeCloudRunOptions[K] } = { mostInstances: 2 }
const there = platform(options)
const section: Record<string, unknown> = { container_tool: 'buildah', max_workers: 4, docker_user: 'tester' }
let nodeImage = ''

beforeAll(async () => {
  if (missing !== undefined) return
  const tools = await containerTools.start()
  const registry = await dockerRegistry.start()
  parts.push(tools, registry)
  for (const [name, value] of Object.entries(tools.env)) process.env[name] = value
  nodeImage = tools.nodeImage
  options.containers = tools
  Object.assign(section, { docker_server: registry.host, base_image: nodeImage })
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
  'a runtime of one’s own is built, deployed by its digest, and run as another user',
  async () => {
    const cloud = await there.start()
    const own = { ...section, runtime: 'words:1' }
    const dockerfile = path.join(folder, 'Dockerfile')
    writeFileSync(path.join(folder, 'words.txt'), 'one')
    writeFileSync(dockerfile, `FROM ${nodeImage}\nENV WORD=one\nCOPY words.txt /words.txt\n`)
    const never = await there.open(own)
    await expect(never.deployRuntime(never.defaultRuntime)).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringContaining('lithops runtime build words:1 -f Dockerfile -b gcp_cloudrun'),
    })
    await never.buildRuntime({ name: 'words:1', file: dockerfile })
    const backend = await there.open(own)
    await using fexec = new FunctionExecutor({ backend })
    const seen = await fexec.callAsync(async () => {
      const { readFile } = await import('node:fs/promises')
      return [await readFile('/words.txt', 'utf8'), process.env.WORD, process.getuid?.()]
    }, undefined)
    expect(seen).toEqual(['one', 'one', 1000])
    expect(JSON.stringify(cloud.services.map(name => cloud.service(name)))).toMatch(
      /\/words@sha256:[0-9a-f]{64}/,
    )
    await backend.clean()
    expect(cloud.services).toEqual([])
  },
)

testContainers(
  'an instance that is over its memory is killed by the kernel, and the call says so',
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

describe('jobs in containers', () => {
  const storage = withMinio('containers')
  const inContainers = async (run: () => Promise<void> | void) => {
    if (missing === undefined) await run()
    else console.log(`skipped: ${missing}`)
  }
  batchContainerKit({
    storage,
    open: more => there.open({ ...section, workload: 'jobs', ...more }),
    test: (name, run) => storage.test(name, () => inContainers(run), { timeout: 180_000 }),
  })
})
