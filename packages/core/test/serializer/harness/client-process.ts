import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import type { CaseOutcome } from './protocol.ts'

export interface ClientOptions {
  readonly clientFile: string
  readonly node?: string
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
  readonly timeoutMs?: number
}

/** Runs the programs one after the other in a new client process; a program that ends it only fails itself. */
export async function runInClient(
  files: readonly string[],
  options: ClientOptions,
): Promise<Map<string, CaseOutcome>> {
  const outcomes = new Map<string, CaseOutcome>()
  let rest = [...files]
  while (rest.length > 0) {
    await runUntilItEnds(rest, options, outcomes)
    rest = rest.filter(file => !outcomes.has(file))
  }
  return outcomes
}

function runUntilItEnds(
  files: readonly string[],
  { clientFile, node = process.execPath, execArgv = [], env = {}, cwd, timeoutMs = 100_000 }: ClientOptions,
  outcomes: Map<string, CaseOutcome>,
): Promise<void> {
  return new Promise(resolve => {
    let index = -1
    let timer: NodeJS.Timeout | undefined
    let output = ''
    const { NODE_OPTIONS, VITEST, ...outer } = process.env
    const child: ChildProcess = fork(clientFile, [], {
      execPath: node,
      execArgv: [...execArgv],
      cwd,
      // A cache of its own, so that no bundle of an earlier run hides what this one makes.
      env: { ...outer, LITHOPS_CACHE_DIR: path.join(path.dirname(clientFile), 'bundles'), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const collect = (chunk: Buffer) => (output = (output + chunk).slice(-4000))
    child.stdout!.on('data', collect)
    child.stderr!.on('data', collect)
    const next = () => {
      clearTimeout(timer)
      index += 1
      if (index === files.length) {
        child.disconnect()
        return
      }
      timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      child.send({ file: files[index], updateGolden: process.env.LITHOPS_UPDATE_GOLDEN === '1' })
    }
    child.on('message', (outcome: CaseOutcome) => {
      outcomes.set(outcome.file, outcome)
      next()
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      const file = files[index]
      if (file !== undefined && !outcomes.has(file)) {
        outcomes.set(file, {
          file,
          results: [],
          failure: `the client process ended (${signal ?? code}) during ${path.basename(path.dirname(file))}\n${output}`,
        })
      }
      resolve()
    })
    next()
  })
}

/** The outcome as one text, or undefined when everything passed. */
export function failureOf(outcome: CaseOutcome | undefined): string | undefined {
  if (outcome === undefined) return 'no outcome'
  if (outcome.failure) return outcome.failure
  if (outcome.results.length === 0) return 'the program has no cases'
  const failed = outcome.results.filter(result => result.failure !== undefined)
  if (failed.length === 0) return undefined
  return failed.map(({ name, failure }) => `${name}: ${failure}`).join('\n\n')
}
