import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FakeAws } from '@lithops/fake-clouds/aws'
import { expect } from 'vitest'

const repository = join(import.meta.dirname, '..', '..', '..')
const tsx = join(repository, 'node_modules', 'tsx', 'dist', 'cli.mjs')
const snippet = (name: string) => join('docs', 'snippets', name)

/** A program of the repository, and what it prints. */
interface Program {
  readonly file: string
  readonly args?: readonly string[]
  readonly prints: RegExp
  /**
   * Takes minutes without replies: nobody says of an event that its worker was ended in a busy loop, and thousands of events
   * are much for the processes of this machine.
   */
  readonly isForReplies?: boolean
}

const PROGRAMS: readonly Program[] = [
  {
    file: join('examples', 'word-count', 'main.ts'),
    // the workers of the stand-in are processes of this machine
    args: [join(repository, 'docs')],
    prints: /The totals are those of one process alone\.$/,
  },
  { file: snippet('readme.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]\n72\.60$/ },
  { file: snippet('getting-started/first-map.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
  { file: snippet('getting-started/context.ts'), prints: /^Hello World! This is attempt 0\.$/ },
  { file: snippet('getting-started/errors.ts'), prints: /^true article 42\ntrue$/, isForReplies: true },
  {
    file: snippet('getting-started/futures.ts'),
    // in the order in which they end, as far as they are not told of by the same look into a storage
    prints:
      /^(?=[\s\S]*^20 \d.* waiting 20 ms$)(?=[\s\S]*^100 \d.* waiting 100 ms$)[\s\S]*^300 \d.* waiting 300 ms$/m,
  },
  {
    file: join('packages', 'cli', 'src', 'main.ts'),
    args: ['hello', '--map', '3'],
    prints:
      /\(call 2\)\n3 calls on .*\n\d requests?, .* GiB-seconds\) billed, .* USD at list prices(, without the storage)?\.$/,
  },
  { file: snippet('getting-started/stream.ts'), prints: /^29994$/, isForReplies: true },
  { file: snippet('getting-started/map-reduce.ts'), prints: /^32\n\[ 'ES', 'DE' \] \[ 27, 5 \]$/ },
]

/**
 * Runs the examples on a stand-in of AWS of their own, each as somebody would who has nothing but the packages and a config
 * file. Gives the invocation types that Lambda was asked for.
 */
export async function runExamples(
  packages: readonly string[],
  config: Readonly<Record<string, object>>,
): Promise<ReadonlySet<string | undefined>> {
  // an environment is a process here
  const quotas = { concurrentExecutions: 4, requestsPerSecondPerConcurrency: 1000 }
  const aws = await FakeAws.start({ quotas, timing: { asyncBackoffMs: 20 } })
  const project = mkdtempSync(join(tmpdir(), 'lithops-lambda-examples-'))
  try {
    const scope = join(project, 'node_modules', '@lithops')
    mkdirSync(scope, { recursive: true })
    for (const name of ['core', 'backend-aws-lambda', ...packages])
      symlinkSync(join(repository, 'packages', name), join(scope, name))
    const { lithops, ...others } = config
    const sections = {
      lithops: { backend: 'aws_lambda', ...lithops },
      aws_lambda: { execution_role: aws.roleArn, max_workers: 4 },
      ...others,
    }
    // YAML takes JSON
    writeFileSync(join(project, '.lithops_config'), JSON.stringify(sections))
    const { LITHOPS_CONFIG_FILE: _file, LITHOPS_CONFIG: _config, ...inherited } = process.env
    const env = { ...inherited, ...aws.env, HOME: project, LITHOPS_CACHE_DIR: join(project, 'cache') }
    const isReplied = Object.keys(lithops ?? {}).length === 0
    for (const { file, args = [], prints, isForReplies = false } of PROGRAMS) {
      if (isForReplies && !isReplied) continue
      const options = { cwd: project, env, timeout: 90_000 }
      const run = promisify(execFile)(process.execPath, [tsx, join(repository, file), ...args], options)
      const { stdout } = await run
      expect(stdout.trim(), file).toMatch(prints)
    }
    const invokes = aws.requests.filter(({ action }) => action === 'lambda:Invoke')
    return new Set(invokes.map(({ headers }) => headers['x-amz-invocation-type'] as string | undefined))
  } finally {
    await aws.close()
    rmSync(project, { recursive: true, force: true })
  }
}
