import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltHarness, buildHarness } from './build.ts'
import { failureOf, runInClient } from './client-process.ts'
import { findNodes, installNodesIfRequired, missingNode } from './nodes.ts'

/** A client of one Node version, a worker of another: what is captured must not depend on either. The corpus has both on the same. */
export function testCrossVersions(pairs: readonly (readonly [client: number, worker: number])[]): void {
  const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../cases')
  const files = readdirSync(root)
    .filter(name => /^(values|functions|state|this|classes|typescript|results)-/.test(name))
    .map(name => path.join(root, name, 'case.ts'))
    .filter(file => readdirSync(path.dirname(file)).includes('case.ts'))

  let harness: BuiltHarness
  beforeAll(async () => {
    installNodesIfRequired(pairs.flat())
    harness = await buildHarness()
  }, 300_000)
  afterAll(() => harness.remove())

  describe.concurrent('client and worker of different Node versions', { concurrent: true }, () => {
    for (const [client, worker] of pairs) {
      it(`Node ${client} ships to Node ${worker}`, { timeout: 120_000 }, async context => {
        const nodes = findNodes()
        for (const major of [client, worker]) if (!nodes.has(major)) context.skip(missingNode(major))
        const outcomes = await runInClient(files, {
          clientFile: harness.clientFile,
          node: nodes.get(client)!.file,
          execArgv: ['--import', 'tsx'],
          env: { LITHOPS_TEST_WORKER_NODE: nodes.get(worker)!.file },
          cwd: root,
        })
        const failures = files.flatMap(file => {
          const failure = failureOf(outcomes.get(file))
          return failure === undefined ? [] : [`${path.basename(path.dirname(file))}: ${failure}`]
        })
        if (failures.length > 0) expect.fail(failures.join('\n\n'))
      })
    }
  })
}
