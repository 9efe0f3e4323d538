import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lithops-cli-'))

/** No config and no cache of the machine's own. */
const environment = {
  PATH: process.env.PATH,
  HOME: folder,
  LITHOPS_CACHE_DIR: join(folder, 'cache'),
  TMPDIR: folder,
}
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Processes of a group. */
function membersOf(group: number | undefined): string[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pgid=,stat=,pid='], { encoding: 'utf8' })
  const lines = stdout.split('\n').map(line => line.trim().split(/\s+/))
  return lines.flatMap(([pgid, state = '', pid = '']) =>
    Number(pgid) === group && !state.startsWith('Z') ? [pid] : [],
  )
}

/** Runs the built command in an empty folder. */
function lithops(args: readonly string[]) {
  const { status, stdout, stderr } = spawnIn([MAIN, ...args])
  return { status, stdout, stderr }
}

/** Runs a program of Node there. */
function spawnIn(args: readonly string[]) {
  return spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: environment,
  })
}

/** Writes a config file and returns its path. */
function config(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('commands', () => {
  test('hello runs a call on this machine', () => {
    const { status, stdout, stderr } = lithops(['hello'])
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Hello .*!/)
  })

  test('hello --map runs many, and draws no progress bar into a pipe', () => {
    const { status, stdout, stderr } = lithops(['hello', '--map', '20'])
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/20 calls on \d workers/)
  })

  test('test checks everything', () => {
    const { status, stdout } = lithops(['test'])
    expect(stdout).toContain('All checks passed.')
    expect(status).toBe(0)
  })

  test('--json prints one line of JSON', () => {
    const { status, stdout } = lithops(['--json', 'test'])
    const report = JSON.parse(stdout) as { ok: boolean; checks: { state: string }[] }
    expect([status, report.ok]).toEqual([0, true])
    expect(report.checks.every(check => check.state === 'passed')).toBe(true)
    expect(JSON.parse(lithops(['hello', '--map', '3', '--json']).stdout)).toMatchObject({ ok: true })
  })

  test('runtime deploy, update, delete, policies and build', () => {
    expect(lithops(['runtime', 'deploy']).stdout).toMatch(/localhost: runtime '.+' is ready: Node v\d+/)
    expect(lithops(['runtime', 'update']).stdout).toContain('is up to date')
    expect(lithops(['runtime', 'delete']).status).toBe(0)
    expect(lithops(['runtime', 'policies']).stdout).toContain('needs no policies')
    const built = lithops(['runtime', 'build', 'mine', '-f', 'Dockerfile'])
    expect([built.status, built.stderr]).toEqual([1, expect.stringContaining('no runtimes that are built')])
  })

  test('runtime extend says where a backend has no such thing, and what the command lacks', () => {
    const file = config('double.ts', 'export const double = (x: number): number => x * 2\n')
    const extend = ['runtime', 'extend', 'default', '--filepath', file]
    const local = lithops([...extend, '--function', 'double'])
    expect([local.status, local.stderr]).toEqual([
      1,
      expect.stringContaining('localhost has no runtimes that functions are put into'),
    ])
    const json = lithops(['--json', ...extend, '--function', 'double'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: 'LITHOPS_NOT_SUPPORTED' } })
    expect(lithops(extend)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("required option '--function <name>' not specified"),
    })
    expect(lithops(['runtime', 'extend', '--help']).stdout).toMatch(
      /BASE_RUNTIME_NAME is a runtime.*map_func_mod/s,
    )
  })

  test('logs of a platform that keeps none, and of what is neither a job nor a request', () => {
    const none = lithops(['logs', 'a1b2c3-0-M000'])
    expect([none.status, none.stdout]).toEqual([
      1,
      expect.stringContaining('There is no log of a1b2c3-0-M000'),
    ])
    // ids of requests as the platforms have them
    for (const id of ['a-run-0123456789/7', 'pod-1/170-180', 'service/a1b2c3-0-M000/170-180', 'pod-1-0a1b2c'])
      expect(lithops(['logs', id]).stdout).toContain(`There is no log of ${id}`)
    expect(lithops(['logs', 'everything']).status).toBe(2)
  })

  /** Writes a config of backends whose runtimes and logs these are, as expressions. */
  function backends(facts: Readonly<Record<string, { readonly runtimes?: string; readonly logs?: string }>>) {
    const files = Object.entries(facts).map(([name, { runtimes = '[]', logs = "''" }]) =>
      config(
        `${name}.mjs`,
        `const made = {
  specVersion: 1, name: '${name}', kind: 'faas', capabilities: {}, defaultRuntime: { name: 'default', memoryMiB: 256 },
  deployRuntime: async () => ({}), listRuntimes: async () => ${runtimes}, invoke: async () => ({}), clean: async () => [], close: async () => {},
  deleteRuntime: async ({ name, memoryMiB }, { workerName }) => console.error(JSON.stringify({ name, memoryMiB, workerName })),
  logs: async () => { return ${logs} },
}
export const backend = { specVersion: 1, name: '${name}', create: () => made }`,
      ),
    )
    return ['-c', config('several.yaml', JSON.stringify({ lithops: { backend: files } }))]
  }

  test('logs of several backends are those of whoever has some, and who has none is named once', () => {
    const refusing = "Promise.reject(new Error('it keeps no logs'))"
    const ask = (logs: string) =>
      lithops(['logs', 'a1b2c3-0-M000', ...backends({ one: { logs: refusing }, two: { logs }, three: {} })])
    const some = ask("'written\\n'")
    expect([some.status, some.stdout]).toEqual([0, 'written\n'])
    expect(some.stderr.match(/There is no log of .*/g)).toEqual([
      'There is no log of a1b2c3-0-M000 on one (it keeps no logs), three.',
    ])
    const none = ask("''")
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('it keeps no logs')])
  })

  test('runtime list tells runtimes of the same name apart, and runtime delete takes what it is called there', () => {
    const runtimes = JSON.stringify(
      [1, 80].map(concurrency => ({
        ...{ name: 'default', memoryMiB: 256, version: '1.0.0', workerName: `worker-${concurrency}` },
        details: { cpu: '1', concurrency: String(concurrency) },
      })),
    )
    const given = backends({ one: { runtimes } })
    const { stdout } = lithops(['runtime', 'list', ...given])
    expect(stdout).toMatch(/Differs in/)
    expect(stdout).toMatch(/256 MiB .*concurrency 1 .*worker-1 /)
    expect(stdout).toMatch(/256 MiB .*concurrency 80 .*worker-80 /)
    expect(stdout).not.toContain('cpu 1')
    expect(stdout).toContain('with the name of a worker in its place, that one')
    const deleted = (name: string) => JSON.parse(lithops(['runtime', 'delete', name, ...given]).stderr)
    expect(deleted('worker-80')).toEqual({ name: 'default', memoryMiB: 256, workerName: 'worker-80' })
    expect(deleted('default')).toEqual({ name: 'default', memoryMiB: 256 })
  })

  test('runtime list and clean', () => {
    expect(lithops(['runtime', 'list']).stdout).toContain('localhost')
    expect(lithops(['clean', '--dry-run'])).toMatchObject({ status: 0 })
    expect(lithops(['clean']).stdout).toContain('There is nothing to remove.')
  })

  test('job list, attach and results of a job whose program was killed', () => {
    expect(lithops(['job', 'list']).stdout).toContain('There are no jobs in storage.')
    const program = join(folder, 'killed.mjs')
    const core = pathToFileURL(createRequire(import.meta.url).resolve('@lithops/core')).href
    writeFileSync(
      program,
      `import core from ${JSON.stringify(core)}
const fexec = new core.FunctionExecutor({ monitoring: 'storage', localhost: { worker_processes: 1 } })
const futures = fexec.map(async n => {
  if (n > 2) await new Promise(resolve => setTimeout(resolve, 400))
  if (n === 4) throw new RangeError('four')
  return { n }
}, [1, 2, 3, 4])
await futures[1].result()
process.kill(process.pid, 'SIGKILL')`,
    )
    expect(spawnIn([program]).signal).toBe('SIGKILL')
    const { jobs } = JSON.parse(lithops(['job', 'list', '--json']).stdout) as { jobs: { jobKey: string }[] }
    const key = jobs[0]?.jobKey as string
    expect(lithops(['job', 'list']).stdout).toMatch(new RegExp(`${key}.* of 4 .*localhost`))
    const before = lithops(['job', 'results', key])
    expect(before.stdout).toMatch(/0\tsuccess\t\{ n: 1 \}\n1\tsuccess.*\n.*\n3\topen/)
    const attached = lithops(['job', 'attach', key])
    expect([attached.status, attached.stdout]).toEqual([
      1,
      expect.stringMatching(/^3 of 4 calls of .* succeeded\.\ncall 3: RangeError: four\n/),
    ])
    const after = JSON.parse(lithops(['job', 'results', key, '--json', '--remove']).stdout) as object
    expect(after).toMatchObject({
      ok: false,
      results: [{ value: { n: 1 } }, { value: { n: 2 } }, { value: { n: 3 } }, { error: 'RangeError: four' }],
    })
    expect(lithops(['clean', '--dry-run']).stdout).toContain('There is nothing to remove.')
    expect(lithops(['job', 'results', key])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`There is no job ${key}`),
    })
  })

  test('help and version', () => {
    expect(lithops(['--help']).stdout).toContain('lithops hello --map 100')
    expect(lithops(['hello', '--help']).stdout).toMatch(/--map <n>.*--backend <name>/s)
    expect(lithops(['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
    })
  })
})

describe.skipIf(process.platform === 'win32')('Ctrl-C in the middle', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends the command with exit code %i, and nothing is left', async (signal, exitCode) => {
    const child = spawn(process.execPath, [MAIN, 'hello', '--map', '300000'], {
      cwd: folder,
      detached: true, // a process group of its own, as a shell gives it: the signal goes to all of it
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environment,
    })
    const { pid } = child
    let told = ''
    child.stderr.on('data', text => {
      told += text
    })
    const ended = once(child, 'close')
    for (let i = 0; i < 500 && membersOf(pid).length < 2; i++) await sleep(20)
    expect(membersOf(pid).length).toBeGreaterThan(1)
    await sleep(300)
    process.kill(-(pid as number), signal)
    expect(await ended).toEqual([exitCode, null])
    expect(told).toBe('')
    for (let i = 0; i < 100 && membersOf(pid).length > 0; i++) await sleep(20)
    expect(membersOf(pid)).toEqual([])
    expect(readdirSync(folder).filter(name => name.endsWith(`-${pid}`))).toEqual([])
  })
})

describe('progress bars', () => {
  /** Runs the command on a terminal of its own. */
  const onTerminal = (...args: string[]) =>
    spawnSync('script', ['-qec', [process.execPath, MAIN, ...args].join(' '), '/dev/null'], {
      cwd: folder,
      encoding: 'utf8',
      env: environment,
    })
  const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

  test.skipIf(!hasTerminal)('are drawn on a terminal, but not beside JSON', () => {
    expect(onTerminal('hello', '--map', '30000').stdout).toMatch(/\d+% \| \d+\/30000 calls/)
    expect(onTerminal('hello', '--map', '30000', '--json').stdout).not.toMatch(/% \|/)
  })
})

describe('what is wrong is said, with exit code 2', () => {
  test.each([
    ['an unknown command', ['helo'], /unknown command 'helo'.*Did you mean .*hello/s],
    ['an unknown option', ['hello', '--mapp', '3'], /unknown option '--mapp'/],
    ['a bad number', ['hello', '--map', 'many'], /whole number from 1/],
    ['a backend that is not installed', ['hello', '-b', 'aws_lambda'], /npm i @lithops\/backend-aws-lambda/],
    ['a typing error in a backend', ['hello', '-b', 'aws_lamda'], /Did you mean 'aws_lambda'/],
    ['a config that is not there', ['hello', '-c', 'nowhere.yaml'], /nowhere\.yaml does not exist/],
  ])('%s', (_, args, message) => {
    const { status, stderr } = lithops(args)
    expect(stderr).toMatch(message)
    expect(status).toBe(2)
  })

  test('a wrong key names file, line and the nearest key', () => {
    const file = config(
      'wrong.yaml',
      'lithops:\n    bakend: localhost\nlocalhost:\n    worker_processes: two\n',
    )
    const { status, stderr } = lithops(['hello', '--config', file])
    expect(status).toBe(2)
    expect(stderr).toContain(`${file}:2: lithops.bakend is not a known key. Did you mean 'backend'?`)
  })

  test('JSON tells errors too', () => {
    const { status, stdout } = lithops(['--json', 'hello', '-b', 'nothing_like_it'])
    expect(status).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'LITHOPS_DRIVER_NOT_FOUND' } })
  })
})
