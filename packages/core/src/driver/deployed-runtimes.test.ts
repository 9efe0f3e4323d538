import { expect, test } from 'vitest'
import { type DeployedParts, DeployedRuntimes } from './deployed-runtimes.ts'

const metadata = {
  lithopsVersion: '1',
  protocolVersion: 1,
  nodeVersion: '24',
  platform: 'linux',
  arch: 'x64',
}
const secret = (storageId: string, key: string) => ({ storageId, storageName: 's', values: { key } })
const driver = (module: string) => ({ kind: 'storage', name: 's', module }) as const

function deployments() {
  const seen: (DeployedParts & { readonly name: string })[] = []
  let underWay = 0
  const runtimes = new DeployedRuntimes<{ readonly place: string }>(async ({ name }, parts) => {
    expect(++underWay).toBe(1)
    await Promise.resolve()
    underWay--
    if (name === 'broken') throw new Error('no room')
    seen.push({ name, ...parts })
    return { place: `place ${seen.length}`, metadata }
  })
  return { runtimes, seen }
}

test('two that deploy a runtime at once do so one after the other, and it has what both need', async () => {
  const { runtimes, seen } = deployments()
  const runtime = { name: 'default' }
  await Promise.all([
    runtimes.deploy(runtime, { drivers: [driver('/a.mjs')], secrets: [secret('one', 'old')] }),
    runtimes.deploy({ ...runtime }, { drivers: [driver('/b.mjs')], secrets: [secret('one', 'new')] }),
  ])
  expect(seen.map(({ drivers }) => drivers.map(({ module }) => module))).toEqual([
    ['/a.mjs'],
    ['/a.mjs', '/b.mjs'],
  ])
  expect(runtimes.of(runtime)).toMatchObject({ place: 'place 2', secrets: [secret('one', 'new')] })
})

test('runtimes with other memory, packages or functions are others', async () => {
  const { runtimes } = deployments()
  const one = { name: 'default', memoryMiB: 256 }
  await runtimes.deploy(one, {})
  const read = async () => new Uint8Array(0)
  expect(runtimes.of({ ...one })).toBeDefined()
  expect(runtimes.of({ ...one, memoryMiB: 512 })).toBeUndefined()
  expect(runtimes.of({ ...one, functions: [{ name: 'f', hash: '00', read }] })).toBeUndefined()
  expect(
    runtimes.of({ ...one, packages: [{ name: 'p', version: '1.0.0', folder: '/p', dependencies: {} }] }),
  ).toBeUndefined()
})

test('what failed is not deployed, and keeps nobody else from it', async () => {
  const { runtimes } = deployments()
  const broken = { name: 'broken' }
  await Promise.all([
    expect(runtimes.deploy(broken, {})).rejects.toThrow('no room'),
    expect(runtimes.deploy(broken, {})).rejects.toThrow('no room'),
  ])
  expect(runtimes.of(broken)).toBeUndefined()
})

test('what is gone is made again once for all who notice, with all that it had', async () => {
  const { runtimes, seen } = deployments()
  const runtime = { name: 'default' }
  await runtimes.restore(runtime, () => expect.unreachable())
  await runtimes.deploy(runtime, { secrets: [secret('one', 'v')] })
  const lost: string[] = []
  await Promise.all([1, 2, 3].map(() => runtimes.restore(runtime, ({ place }) => lost.push(place))))
  expect(lost).toEqual(['place 1'])
  expect(seen.map(({ secrets }) => secrets)).toEqual([[secret('one', 'v')], [secret('one', 'v')]])
  runtimes.forget(({ place }) => place === 'place 2')
  expect(runtimes.of(runtime)).toBeUndefined()
})
