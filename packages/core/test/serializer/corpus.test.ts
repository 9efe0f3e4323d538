import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltHarness, buildHarness } from './harness/build.ts'
import { failureOf, runInClient } from './harness/client-process.ts'
import type { CaseOutcome } from './harness/protocol.ts'

// One folder per case. Programs of several folders share a client process and a worker process; one that says
// `isolated = true` gets its own. Rewrite the error texts with LITHOPS_UPDATE_GOLDEN=1.
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), 'cases')
const BATCH_SIZE = 16
const CLIENTS = 2

interface Program {
  readonly name: string
  readonly file: string
  readonly isTypeScript: boolean
  readonly isIsolated: boolean
}

const only = process.env.LITHOPS_CASE
const programs: Program[] = readdirSync(root, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && (!only || entry.name.includes(only)))
  .map(({ name }) => {
    const main = readdirSync(path.join(root, name)).find(file => /^case\.(ts|mts|cts|mjs|cjs)$/.test(file))
    if (!main) throw new Error(`cases/${name} has no program named case.ts, .mts, .mjs or .cjs`)
    const file = path.join(root, name, main)
    return {
      name,
      file,
      isTypeScript: main.endsWith('ts'),
      isIsolated: /^export const isolated = true/m.test(readFileSync(file, 'utf8')),
    }
  })

const batches: Program[][] = []
for (const isTypeScript of [true, false]) {
  const alike = programs.filter(program => program.isTypeScript === isTypeScript && !program.isIsolated)
  for (let i = 0; i < alike.length; i += BATCH_SIZE) batches.push(alike.slice(i, i + BATCH_SIZE))
}
for (const program of programs) if (program.isIsolated) batches.push([program])

const outcomes = new Map<Program, Promise<CaseOutcome | undefined>>()
let harness: BuiltHarness
let settled: Promise<unknown>

beforeAll(async () => {
  harness = await buildHarness()
  const waiting = [...batches]
  const settle = new Map<Program, (outcome: CaseOutcome | undefined) => void>()
  for (const program of programs) {
    outcomes.set(program, new Promise(resolve => settle.set(program, resolve)))
  }
  const client = async () => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
      const done = await runInClient(
        batch.map(program => program.file),
        {
          clientFile: harness.clientFile,
          cwd: root,
          execArgv: batch[0]?.isTypeScript ? ['--import', 'tsx'] : [],
        },
      )
      for (const program of batch) settle.get(program)!(done.get(program.file))
    }
  }
  settled = Promise.all(Array.from({ length: CLIENTS }, client))
})

afterAll(async () => {
  await settled
  harness.remove()
})

describe('serializer corpus', () => {
  for (const program of programs) {
    it(program.name, { timeout: 240_000 }, async () => {
      const failure = failureOf(await outcomes.get(program))
      if (failure !== undefined) expect.fail(failure)
    })
  }
})
