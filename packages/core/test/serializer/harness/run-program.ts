import assert from 'node:assert'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CapturedFunction } from '../../../src/function/captured-function.ts'
import type { SerializerCase } from './case.ts'
import { captureFunction } from './product.ts'
import type { CaseOutcome, CaseRequest } from './protocol.ts'
import { Remote, WorkerBrokenError } from './remote.ts'

let remote: Remote | undefined

export function closeWorker(): void {
  remote?.close()
  remote = undefined
}

/** Loads a program in this process and ships each of its functions to a worker. */
export async function runProgram({ file, updateGolden }: CaseRequest): Promise<CaseOutcome> {
  let cases: SerializerCase[]
  try {
    cases = casesOf(await import(pathToFileURL(file).href))
  } catch (error) {
    return { file, results: [], failure: `the program did not load: ${describe(error)}` }
  }
  const { results, refusals } = await runCases(cases, path.dirname(file))
  const golden = path.join(path.dirname(file), 'error.txt')
  const text = `${refusals.join('\n\n')}\n`
  if (refusals.length > 0 && updateGolden) writeFileSync(golden, text)
  else if (refusals.length > 0 && results.every(result => result.failure === undefined)) {
    const expected = existsSync(golden) ? readFileSync(golden, 'utf8') : '(no error.txt)'
    if (expected !== text) results.push({ name: 'error.txt', failure: `is\n${text}\nshould be\n${expected}` })
  }
  return { file, results }
}

/** Ships functions of programs that are loaded already, e.g. by a test runner. */
export async function runCases(cases: readonly SerializerCase[], directory: string) {
  const results: { name: string; failure?: string }[] = []
  const refusals: string[] = []
  for (const [index, item] of cases.entries()) {
    const name = item.name ?? (cases.length > 1 ? `#${index + 1}` : path.basename(directory))
    try {
      const refusal = await runCase(item, directory)
      if (refusal !== undefined) refusals.push(`${name}: ${refusal}`)
      results.push({ name })
    } catch (error) {
      results.push({ name, failure: describe(error) })
    }
  }
  return { results, refusals }
}

/** A program exports `cases`, or one case by its members; a CommonJS one may arrive as the default export. */
function casesOf(module: Record<string, any>): SerializerCase[] {
  const exported = module.cases || module.fn ? module : (module.default ?? module)
  return exported.cases ? [...exported.cases] : [exported as SerializerCase]
}

async function runCase(item: SerializerCase, directory: string): Promise<string | undefined> {
  let captured: CapturedFunction
  try {
    assert.ok(typeof item.fn === 'function', 'the case has no function')
    captured = captureFunction(item.fn as (...args: never[]) => unknown)
    item.afterCapture?.()
    await captured.bundle()
  } catch (error: any) {
    if (item.fails === undefined) throw error
    assert.strictEqual(error?.name, 'SerializationError', `wrong kind of error: ${describe(error)}`)
    const message = normalise(error.message, directory)
    assert.match(message, item.fails)
    return message
  }
  if (item.fails) assert.fail(`captured, but should be refused with ${item.fails}`)
  const warnings = captured.warnings.map(warning => normalise(warning, directory))
  if (item.warns) assert.match(warnings.join('\n'), item.warns)
  else if (!item.mayWarn) assert.deepStrictEqual(warnings, [], 'warnings')
  if (!remote?.isAlive) remote = new Remote()
  let result: unknown
  try {
    result = await remote.call(captured, item.args ?? [])
  } catch (error) {
    if (item.throws === undefined || error instanceof WorkerBrokenError) throw error
    await item.throws(error)
    return undefined
  }
  if (item.throws) assert.fail(`returned ${String(result)}, but should have thrown`)
  if (item.check) await item.check(result)
  else assert.deepStrictEqual(result, item.expected)
  return undefined
}

/** Paths of this machine out, `<case>` for the folder of the case. */
function normalise(text: string, directory: string): string {
  const relative = path.relative(process.cwd(), directory)
  return text
    .replaceAll(pathToFileURL(directory).href, '<case>')
    .replaceAll(directory, '<case>')
    .replaceAll(relative, '<case>')
}

function describe(error: any): string {
  if (error instanceof WorkerBrokenError) return error.message
  return String(error?.stack ?? error)
}
