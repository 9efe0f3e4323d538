import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, RuntimeBuildError } from '../errors/index.ts'
import { nearest } from '../errors/nearest.ts'
import type { ModuleExport } from './exported.ts'

/** Modules that are not there after that wait for something, and would keep workers waiting. */
const LOAD_MS = 30_000
const TOLD_LINES = 8

/** Loads a function's bundle, and writes what it finds into a file: modules may write to standard output. */
const LOADER = `
import { writeFileSync } from 'node:fs'
const [bundle, answer] = process.argv.slice(-2)
const { default: factory } = await import(bundle)
let find, module
factory({ refs: ([thunk]) => { find = thunk }, imports: ([thunk]) => { module = thunk() }, done: () => undefined })
const whole = module.default
const inside = typeof whole === 'object' && whole !== null ? Object.entries(whole) : []
const functions = [...Object.entries(module), ...inside].filter(([, value]) => typeof value === 'function')
const found = find()
writeFileSync(answer, JSON.stringify({
  type: found === null ? 'null' : typeof found,
  isClass: typeof found === 'function' && /^class\\b/.test(Function.prototype.toString.call(found)),
  functions: [...new Set(functions.map(([name]) => name))],
}))
process.exit(0)
`

interface Answer {
  readonly type: string
  readonly isClass: boolean
  readonly functions: readonly string[]
}

/**
 * Whether an export is a function, by loading its bundle in a process of its own, as a worker will.
 *
 * @throws ConfigError where it is none, with the name that may have been meant
 * @throws RuntimeBuildError where the module cannot be loaded
 */
export async function checkExport({ file, name }: ModuleExport, code: Uint8Array): Promise<void> {
  const { type, isClass, functions } = await load(file, code)
  if (type === 'function' && !isClass) return
  if (type !== 'undefined')
    throw new ConfigError(`'${name}' of ${file} is ${isClass ? 'a class' : aOf(type)}, not a function.`)
  const meant = nearest(name, functions)
  const hint =
    functions.length === 0
      ? 'It exports no function at all.'
      : meant === undefined
        ? `Functions that it exports: ${functions.join(', ')}.`
        : `Did you mean '${meant}'?`
  throw new ConfigError(`${file} exports nothing called '${name}'. ${hint}`)
}

async function load(file: string, code: Uint8Array): Promise<Answer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lithops-check-'))
  try {
    const bundle = path.join(folder, 'function.mjs')
    const answer = path.join(folder, 'answer.json')
    await writeFile(bundle, code)
    const failure = await run(path.dirname(file), [pathToFileURL(bundle).href, answer])
    const text = await readFile(answer, 'utf8').catch(() => undefined)
    if (text !== undefined) return JSON.parse(text) as Answer
    throw new RuntimeBuildError(
      `${file} cannot be loaded as workers load it: ${failure ?? 'it ended the process'}. What it does when it is loaded, it does on each worker: ` +
        'functions belong into a file that does nothing else.',
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Why it failed; undefined when it ended well. */
function run(folder: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', LOADER, ...args],
      { cwd: folder, timeout: LOAD_MS, killSignal: 'SIGKILL', env: { ...process.env, NODE_OPTIONS: '' } },
      (error, _, told) => {
        if (error === null) resolve(undefined)
        else if (error.killed) resolve(`it took longer than ${LOAD_MS / 1000} s`)
        else resolve(lastOf(told) || error.message)
      },
    )
  })
}

function lastOf(told: string): string {
  const lines = told.split('\n').filter(line => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
  return lines.slice(-TOLD_LINES).join('\n')
}

function aOf(type: string): string {
  return type === 'null' ? 'null' : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}
