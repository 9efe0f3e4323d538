import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RuntimeBuildError } from '../errors/index.ts'

/** A registry that is slow answers within this; an install script that builds may take as long. */
const LONGEST_MS = 15 * 60 * 1000
const KEPT_OUTPUT_CHARACTERS = 2000

export interface NpmTask {
  /** The project that npm works on. */
  readonly folder: string
  readonly signal: AbortSignal | undefined
  readonly env?: Readonly<Record<string, string>>
}

/** Runs npm quietly. Throws RuntimeBuildError with its last words, or the signal's reason. */
export async function runNpm(args: readonly string[], { folder, signal, env }: NpmTask): Promise<void> {
  signal?.throwIfAborted()
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel', 'error']
  const all = [...args, '--prefix', folder, '--omit', 'dev', '--no-workspaces', ...quiet]
  const beside = npmBesideNode()
  const [command, commandArgs] = beside === undefined ? ['npm', all] : [process.execPath, [beside, ...all]]
  const limit = AbortSignal.timeout(LONGEST_MS)
  const child = spawn(command, commandArgs, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    shell: beside === undefined && process.platform === 'win32',
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-KEPT_OUTPUT_CHARACTERS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const problem = await new Promise<string | undefined>(resolve => {
    child.on('error', error => resolve(error.message))
    child.on('close', code => resolve(code === 0 ? undefined : `it ended with ${code}`))
  })
  signal?.throwIfAborted()
  if (problem === undefined) return
  throw new RuntimeBuildError(
    `npm ${args[0]} failed: ${problem}.${output === '' ? '' : `\n${output.trim()}\n`} ` +
      'Packages with native addons are fetched by npm: it must be installed, and reach the registry that has them.',
    { details: { args, folder } },
  )
}

/** The npm that came with this Node; undefined where the two are installed apart. */
function npmBesideNode(): string | undefined {
  const folder = dirname(process.execPath)
  const places = [
    join(folder, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  return places.find(existsSync)
}
