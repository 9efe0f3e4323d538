import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path, { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test as vitestTest } from 'vitest'
import { PROGRAMS, type Program, ROOT } from './programs.ts'

const repository = path.resolve(import.meta.dirname, '..', '..', '..', '..')
const tsx = join(repository, 'node_modules', 'tsx', 'dist', 'cli.mjs')
const lithops = join(repository, 'packages', 'cli', 'src', 'main.ts')
const PROGRAM_MS = 120_000
const TEST_MS = 300_000

type Sections = Readonly<Record<string, object>>

/** A cloud that is running, and how a project reaches it. */
export interface ExamplesCloud {
  /** The project's config file. */
  readonly sections: Sections
  /** Of its programs, beside that of this process. Default: nothing. */
  readonly env?: Readonly<Record<string, string>>
  /** How many activations, instances or the like it has run so far: each program must make it more. */
  ranCount(): number
  close(): Promise<void>
}

export interface ExamplesSuiteOptions {
  /** Of the tests' names. */
  readonly name: string
  /** Folders below `packages/` that the project has beside core. */
  readonly packages: readonly string[]
  /** Called when the first test runs. */
  readonly start: () => Promise<ExamplesCloud>
  /** Programs beside those that every backend runs, from the root of the repository. Default: none. */
  readonly more?: readonly Program[]
  /** Registers a test: that of `withRealPart`, where one is needed. Default: vitest's. */
  readonly test?: (name: string, run: () => Promise<void>, options: { readonly timeout: number }) => void
}

/** Runs the examples, each as somebody would who has nothing but the packages and a config file. */
export function examplesSuite({ name, packages, start, more = [], test }: ExamplesSuiteOptions): void {
  const register =
    test ??
    ((title: string, run: () => Promise<void>, options: { readonly timeout: number }) =>
      vitestTest(title, options, run))
  let opening: Promise<ExampleProject> | undefined
  const open = () => {
    opening ??= start().then(cloud => new ExampleProject(cloud, packages))
    return opening
  }
  afterAll(async () => (await opening)?.close(), TEST_MS)

  for (const program of [...PROGRAMS, ...more]) {
    const { file, extended } = program
    register(`${name}: ${file}`, async () => (await open()).run(program), { timeout: TEST_MS })
    if (extended === undefined) continue
    register(
      `${name}: ${file}, whose function is in the runtime`,
      async () => (await open()).runExtended(program, extended),
      { timeout: TEST_MS },
    )
  }
}

/** A folder with the packages, a config file, and nothing else. */
class ExampleProject {
  readonly #cloud: ExamplesCloud
  readonly #folder = mkdtempSync(join(tmpdir(), 'lithops-examples-'))

  constructor(cloud: ExamplesCloud, packages: readonly string[]) {
    this.#cloud = cloud
    const scope = join(this.#folder, 'node_modules', '@lithops')
    mkdirSync(scope, { recursive: true })
    for (const name of ['core', ...packages])
      symlinkSync(join(repository, 'packages', name), join(scope, name))
  }

  async run({ file, args = [], prints }: Program, more: Sections = {}): Promise<void> {
    const before = this.#cloud.ranCount()
    const stdout = await this.#execute(join(repository, file), args, more)
    expect(stdout, file).toMatch(prints)
    expect(this.#cloud.ranCount(), file).toBeGreaterThan(before)
  }

  /** `lithops runtime extend`, twice, and then the program with a config that names what it made. */
  async runExtended(
    program: Program,
    { filepath, function: name }: Required<Program>['extended'],
  ): Promise<void> {
    const file = join(repository, filepath)
    const args = ['runtime', 'extend', 'default', '--filepath', file, '--function', name]
    const extend = async () => {
      const said = await this.#execute(lithops, args)
      return /^Extended runtime: (\S+)$/m.exec(said)?.[1] ?? expect.fail(`it said: ${said}`)
    }
    const runtime = await extend()
    expect(await extend()).toBe(runtime)
    await this.run(program, { serverless: { runtime, map_func_mod: file, map_func: name } })
  }

  async close(): Promise<void> {
    await this.#cloud.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #execute(file: string, args: readonly string[], more: Sections = {}): Promise<string> {
    // YAML takes JSON
    writeFileSync(join(this.#folder, '.lithops_config'), JSON.stringify({ ...this.#cloud.sections, ...more }))
    const { LITHOPS_CONFIG_FILE: _file, LITHOPS_CONFIG: _config, ...inherited } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [tsx, file, ...args.map(argument => argument.replace(ROOT, repository))],
      {
        cwd: this.#folder,
        timeout: PROGRAM_MS,
        env: {
          ...inherited,
          ...this.#cloud.env,
          HOME: this.#folder,
          LITHOPS_CACHE_DIR: join(this.#folder, 'cache'),
        },
      },
    )
    return stdout.trim()
  }
}
