/** Small deliberate mistakes of workers and platforms of containers, each of which must fail the case named for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeployOptions, RuntimeSpec } from '@lithops/core/driver'
import { computeConformance } from '@lithops/core/testing'
import { afterAll, describe, test } from 'vitest'
import { mustFail } from '../../core/test/kits/harness.ts'
import { HttpPlatform, type HttpPlatformOptions } from './http-platform.ts'
import { WorkerProgram } from './worker-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'lithops-test-mistakes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const broken = (TEST_MISTAKE: string): HttpPlatformOptions => ({
  concurrency: 4,
  start: environment => new WorkerProgram(environment, { file: './broken-worker.mjs' }),
  environment: { TEST_MISTAKE },
})
/** It says that it takes several activations at once, and runs one after the other. */
const oneAfterTheOther: HttpPlatformOptions = { concurrency: 4, environment: { LITHOPS_CONCURRENCY: '1' } }

const mistakes: Record<string, { readonly fails: string; readonly options: HttpPlatformOptions }> = {
  'runs one after the other': {
    fails: 'activations at the same time in a worker have their own context and result',
    options: oneAfterTheOther,
  },
  'lets short calls wait': {
    fails: 'a long call does not hold back short ones in its worker',
    options: oneAfterTheOther,
  },
  'has one environment for all calls': {
    fails: 'activations at the same time in a worker have their own environment',
    options: broken('one environment for all'),
  },
  'does not know whose a line is': {
    fails: 'activations at the same time in a worker have their own logs',
    options: broken('logs that belong to nobody'),
  },
  'lets a call end its neighbours': {
    fails: 'a call over its timeout, or one that exits, hurts no call beside it',
    options: broken('exits of the whole process'),
  },
}

/** Says that it puts functions into its runtimes, and does not. */
class WithoutFunctions extends HttpPlatform {
  override deployRuntime({ functions: _, ...runtime }: RuntimeSpec, options: DeployOptions) {
    return super.deployRuntime({ ...runtime, functions: [] }, options)
  }
}

/** Builds what it has built already. */
class BuildsAgain extends HttpPlatform {
  extensions = 0

  async extendRuntime() {
    return { name: `extended:${this.extensions++}`, isBuilt: true }
  }
}

describe('the compute kit catches a platform that', () => {
  test('extends a runtime anew each time', () => {
    const { fails } = {
      fails: 'extends a runtime by a function, once and under one name for the same content',
    }
    return mustFail(
      kitTest => computeConformance({ test: kitTest, createBackend: () => new BuildsAgain() }),
      `compute: ${fails}`,
    )
  })

  test('leaves functions out of its runtimes', () => {
    const { fails } = { fails: 'runs functions that its runtimes bring, whose code no activation carries' }
    return mustFail(
      kitTest =>
        computeConformance({
          test: kitTest,
          createBackend: () => new WithoutFunctions({ functionsIn: folder }),
        }),
      `compute: ${fails}`,
    )
  })
})

describe('the compute kit catches a worker that', () => {
  test.each(Object.entries(mistakes))('%s', (_, { fails, options }) =>
    mustFail(
      kitTest =>
        computeConformance({
          test: kitTest,
          timing: { callMs: options === oneAfterTheOther ? 1_500 : 4_000, timeoutMs: 300 },
          createBackend: () => new HttpPlatform(options),
        }),
      `compute: ${fails}`,
    ),
  )
})
