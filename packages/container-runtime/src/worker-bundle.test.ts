import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RuntimeBuildError } from '@lithops/core/driver'
import { afterAll, expect, test } from 'vitest'
import { METADATA_ARGUMENT } from './worker-arguments.ts'
import { bundleWorker } from './worker-bundle.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lithops-worker-bundle-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function driver(name: string, source: string) {
  const module = join(folder, `${name}.mjs`)
  writeFileSync(module, source)
  return { kind: 'storage', name, module } as const
}

test('a driver that is an ES module learns where the worker lies', async () => {
  const url = driver(
    'where',
    `import { writeFileSync } from 'node:fs'
    writeFileSync(process.env.TOLD, import.meta.url)
    export const storage = {}`,
  )
  const worker = join(folder, 'worker.cjs')
  writeFileSync(worker, await bundleWorker([url]))
  const told = join(folder, 'told')
  // a batch loads the drivers, and fails then for want of its index
  const run = () =>
    execFileSync(process.execPath, [worker, 'batch'], {
      env: { TOLD: told },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  expect(run).toThrow(/does not know its index/)
  expect(readFileSync(told, 'utf8')).toBe(pathToFileURL(worker).href)
})

test('a worker loads no drivers to say what it is', async () => {
  const broken = driver('broken', "throw new Error('loaded')\nexport const storage = {}")
  const worker = join(folder, 'says.cjs')
  writeFileSync(worker, await bundleWorker([broken]))
  const said = execFileSync(process.execPath, [worker, METADATA_ARGUMENT], { env: {}, encoding: 'utf8' })
  expect(JSON.parse(said)).toMatchObject({ platform: process.platform })
})

test('a driver that awaits at its top level is refused by name, with the reason', async () => {
  const waiting = driver('waits', 'await Promise.resolve()\nexport const storage = {}')
  const bundle = bundleWorker([waiting])
  await expect(bundle).rejects.toBeInstanceOf(RuntimeBuildError)
  await expect(bundle).rejects.toThrow(/bundled with waits: .*[Tt]op-level await/s)
})
