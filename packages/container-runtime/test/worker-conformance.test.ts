import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { computeConformance } from '@lithops/core/testing'
import { afterAll, test } from 'vitest'
import { HttpPlatform } from './http-platform.ts'

const folder = mkdtempSync(join(tmpdir(), 'lithops-test-conformance-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

computeConformance({
  test,
  timing: { manyCalls: 60 },
  createBackend: () => new HttpPlatform({ workerProcesses: 2, concurrency: 4 }),
})

computeConformance({
  // the others say nothing of where functions come from
  test: (name, run) =>
    /functions that its runtimes bring/.test(name) ? test(`${name}, in files`, run) : undefined,
  createBackend: () => new HttpPlatform({ functionsIn: folder }),
})
