/** The secrets of storages reach workers beside activations, never in them. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ComputeBackend, DeployOptions, RuntimeSpec, StorageDriver } from '../../src/driver/index.ts'
import { type CallContext, FunctionExecutor } from '../../src/index.ts'
import { LocalhostBackend } from '../../src/localhost/localhost-backend.ts'
import { LocalhostStorage } from '../../src/localhost/localhost-storage.ts'
import { MemoryCompute } from '../../src/testing/memory-compute.ts'
import { observeBackend } from '../../src/testing/observed-backend.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newRoot = () => temporaryFolder('lithops-test-secret-')

/** A storage whose folder is its secret: a worker that was not given it cannot find the objects. */
function secretStorage(root: string): StorageDriver {
  class SecretStorage extends LocalhostStorage {
    override workerConfig() {
      return { storage_bucket: 'storage' } as never
    }
    workerSecrets() {
      return { root }
    }
  }
  return { specVersion: 1, name: 'localhost', create: () => new SecretStorage({ root }) }
}

async function put(text: string, { storage }: CallContext): Promise<void> {
  await storage.put('made', text)
}

/** Everything that a function could find of its process. */
async function lookAround(): Promise<string[]> {
  const isLinux = process.platform === 'linux'
  return [
    JSON.stringify(process.env),
    JSON.stringify(process.argv),
    isLinux ? readFileSync('/proc/self/cmdline', 'latin1') : '',
    isLinux ? readFileSync('/proc/self/environ', 'latin1') : '',
    execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)'], { encoding: 'utf8' }),
  ]
}

const backends: Record<string, () => ComputeBackend> = {
  localhost: () => new LocalhostBackend({ workers: 1 }),
  memory: () => new MemoryCompute(),
}
for (const [name, make] of Object.entries(backends)) {
  test(`${name}: the secrets of a storage reach workers and are in no activation`, async () => {
    const root = newRoot()
    const backend = make()
    const { backend: observed, invokes } = observeBackend(backend)
    await using fexec = new FunctionExecutor({ backend: observed, storage: secretStorage(root) })
    // a worker that is running already must be told too
    await fexec.callAsync((x: number) => x, 1)
    await fexec.callAsync(put, 'kept')
    expect(await (await fexec.storage()).get('made', { as: 'text' })).toBe('kept')
    if (name === 'localhost') {
      const seen = await fexec.callAsync(lookAround, undefined)
      expect(seen.filter(text => text.includes(root))).toEqual([])
    }
    expect(invokes.length).toBeGreaterThan(1)
    for (const { activation } of invokes) {
      expect(Buffer.from(activation.payload).includes(root)).toBe(false)
      expect(JSON.stringify(activation.runtime)).not.toContain(root)
    }
    await backend.close()
  })
}

test('secrets that changed since the last job are placed again, the same ones are not', async () => {
  const given: unknown[] = []
  class Watching extends MemoryCompute {
    override deployRuntime(runtime: RuntimeSpec, options: DeployOptions = {}) {
      given.push(options.secrets?.map(secret => secret.values))
      return super.deployRuntime(runtime, options)
    }
  }
  const root = newRoot()
  let session = 'one'
  class Rotating extends LocalhostStorage {
    workerSecrets() {
      return { session }
    }
  }
  const storage: StorageDriver = {
    specVersion: 1,
    name: 'localhost',
    create: () => new Rotating({ root }),
  }
  const backend = new Watching()
  await using fexec = new FunctionExecutor({ backend, storage })
  for (const next of ['one', 'one', 'two']) {
    session = next
    await fexec.callAsync((x: number) => x, 1)
  }
  expect(given).toEqual([[{ session: 'one' }], [{ session: 'two' }]])
  await backend.close()
})

test('a backend that cannot place secrets refuses a job that needs them before anything is sent', async () => {
  const backend = new MemoryCompute()
  const { backend: observed, invokes } = observeBackend(backend)
  const unable = new Proxy(observed, {
    get: (target, key) =>
      key === 'capabilities' ? { ...backend.capabilities, placesSecrets: false } : Reflect.get(target, key),
  })
  const root = newRoot()
  await using fexec = new FunctionExecutor({ backend: unable, storage: secretStorage(root) })
  const error = await fexec.callAsync((x: number) => x, 1).catch((e: unknown) => e as Error)
  expect(error).toMatchObject({ code: 'LITHOPS_NOT_SUPPORTED' })
  expect(String(error)).toMatch(/localhost/)
  expect(String(error)).not.toContain(root)
  expect(invokes).toHaveLength(0)
  await backend.close()
})

/** A driver as somebody else's package has it: found by its file, opened in workers by it. */
const DRIVER = `
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
export const storage = {
  specVersion: 1,
  name: 'drawer',
  create: ({ label, password }) => ({
    specVersion: 1,
    name: 'drawer',
    capabilities: { conditionalPut: false, presignedUrls: false, maxKeyBytes: 255 },
    putObject: async (bucket, key, body) => {
      await writeFile(join(password, label + bucket + key), body)
      return { created: true }
    },
    getObject: async (bucket, key) => readFile(join(password, label + bucket + key)),
    async *listObjects() {},
    workerConfig: () => ({ label }),
    workerSecrets: () => ({ password }),
    client: () => undefined,
    close: async () => {},
  }),
}
`

test("a package's storage is opened in worker processes with its secrets", async () => {
  const folder = temporaryFolder('lithops 100%41 ')
  const driver = join(folder, 'my drawer.mjs')
  writeFileSync(driver, DRIVER)
  const backend = new LocalhostBackend({ workers: 1 })
  const { backend: observed, invokes } = observeBackend(backend)
  const config = { drawer: { label: 'L', password: folder, storage_bucket: 'B' } }
  await using fexec = new FunctionExecutor({ backend: observed, storage: driver, config })
  await fexec.callAsync(put, 'kept')
  expect(readFileSync(join(folder, 'LBmade'), 'utf8')).toBe('kept')
  const payload = Buffer.from(invokes[0]?.activation.payload ?? [])
  expect(payload.includes('"secretsId":"drawer-')).toBe(true)
  expect(payload.includes('password')).toBe(false)
  // the driver's own file is in it, and is no secret
  expect(payload.toString('latin1').replaceAll(driver, '')).not.toContain(folder)
  await backend.close()
})
