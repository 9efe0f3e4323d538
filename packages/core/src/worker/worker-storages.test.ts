import { mkdtempSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StorageDriver, WorkerSecrets } from '../driver/index.ts'
import { decodeSecrets, encodeSecrets, takeSecretsFromEnvironment } from '../driver/secrets-environment.ts'
import { secretsOf, storageHead } from '../storage/open-storage.ts'
import { MemoryStorage } from '../testing/memory-storage.ts'
import type { JobHead } from './protocol.ts'
import { WorkerStorages } from './worker-storages.ts'

const opened: unknown[] = []
const driver: StorageDriver = {
  specVersion: 1,
  name: 'memory',
  create: async config => {
    opened.push(config)
    return new MemoryStorage()
  },
}

class Vault extends MemoryStorage {
  readonly #place: string
  readonly #password: string

  constructor(place: string, password: string) {
    super()
    this.#place = place
    this.#password = password
  }

  override workerConfig() {
    return { place: this.#place } as never
  }

  workerSecrets(): Record<string, string> {
    return this.#password === '' ? {} : { password: this.#password }
  }
}

const open = (place: string, password: string) => ({ backend: new Vault(place, password), bucket: place })
const secretsFor = (place: string, password: string) =>
  secretsOf(open(place, password).backend) as WorkerSecrets
const headOf = (fields: Partial<JobHead>) => fields as JobHead

test('a worker opens the storages of a job by name, each once, with its own secrets', async () => {
  opened.length = 0
  const head = headOf({
    storage: storageHead(open('main', '')),
    storages: { left: storageHead(open('left', 'L')), right: storageHead(open('right', 'R')) },
  })
  expect(JSON.stringify(head)).not.toMatch(/password/)
  const storages = new WorkerStorages({ drivers: [driver] })
  storages.addSecrets([secretsFor('left', 'L'), secretsFor('right', 'R')])
  await Promise.all([storages.load(head), storages.load(head)])
  await storages.load(head)
  expect(opened).toEqual([
    { place: 'left', password: 'L' },
    { place: 'right', password: 'R' },
    { place: 'main' },
  ])
  expect(storages.of(head, 'left')).not.toBe(storages.of(head, 'right'))
  expect(storages.open(head, 'right').bucket).toBe('right')
  expect(storages.open(head).bucket).toBe('main')
  expect(() => storages.of(head, 'middle')).toThrow("no storage 'middle'; it has: left, right")
  expect(() => storages.of(headOf({}))).toThrow(/storageless/)
  const left = storages.of(head, 'left')
  await storages.close()
  await expect(left.bucketExists('b')).rejects.toMatchObject({ code: 'LITHOPS_CLOSED' })
})

test('changed secrets open the storage anew, the same ones do not', async () => {
  opened.length = 0
  const head = headOf({ storage: storageHead(open('main', 'old')) })
  const storages = new WorkerStorages({ drivers: [driver] })
  for (const password of ['old', 'old', 'new']) {
    storages.addSecrets([secretsFor('main', password)])
    await storages.load(head)
  }
  expect(opened).toEqual([
    { place: 'main', password: 'old' },
    { place: 'main', password: 'new' },
  ])
})

test('a storage whose driver the worker lacks fails who asks for it, and nobody else', async () => {
  const head = headOf({ storage: { name: 'elsewhere', bucket: 'b', config: {} } })
  const storages = new WorkerStorages({ drivers: [driver] })
  await storages.load(head)
  expect(() => storages.of(head)).toThrow(/'elsewhere' is not open in this worker/)
})

test('the driver is found in a folder whose name has spaces and percent signs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lithops 100%41 '))
  const module = join(folder, 'driver.mjs')
  await writeFile(
    module,
    `export const storage = { create: config => ({ name: 'mine', capabilities: {}, config }) }`,
  )
  const head = headOf({ storage: { name: 'mine', bucket: 'b', config: { a: 1 }, module } })
  const storages = new WorkerStorages()
  await storages.load(head)
  expect(storages.of(head).name).toBe('mine')
})

test('secrets are taken out of the environment', () => {
  const secrets = [secretsFor('main', 'pass "word" é')]
  const environment: NodeJS.ProcessEnv = { LITHOPS_SECRETS: encodeSecrets(secrets), OTHER: '1' }
  expect(takeSecretsFromEnvironment(environment)).toEqual(secrets)
  expect(environment).toEqual({ OTHER: '1' })
  expect(takeSecretsFromEnvironment(environment)).toEqual([])
  expect(() => decodeSecrets('{"passw')).toThrow(/damaged: 7 characters/)
})
