import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { type BuiltHarness, buildHarness } from '../serializer/harness/build.ts'

const run = promisify(execFile)

/** Programs of their own that capture functions, with the library as `./library.mjs` would give it to a user. */
export class Programs {
  readonly #harness: BuiltHarness

  private constructor(harness: BuiltHarness) {
    this.#harness = harness
  }

  static async build(): Promise<Programs> {
    return new Programs(await buildHarness())
  }

  /** A new folder below the package with these files. `LIBRARY` in a text stands for the library. */
  folder(files: Readonly<Record<string, string>>): string {
    const parent = path.join(this.#harness.directory, 'programs')
    mkdirSync(parent, { recursive: true })
    const directory = mkdtempSync(path.join(parent, 'program-'))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
      writeFileSync(
        path.join(directory, name),
        text.replaceAll("'LIBRARY'", JSON.stringify(this.#harness.libraryFile)),
      )
    }
    return directory
  }

  /** Runs `main.mjs` of the folder; what it prints is JSON. */
  async run(
    directory: string,
    {
      execArgv = [],
      cacheDirectory,
      env: more = {},
      node = process.execPath,
    }: {
      execArgv?: readonly string[]
      cacheDirectory?: string
      env?: Readonly<Record<string, string>>
      node?: string
    } = {},
  ): Promise<any> {
    const { NODE_OPTIONS, VITEST, ...env } = process.env
    const { stdout } = await run(node, [...execArgv, path.join(directory, 'main.mjs')], {
      cwd: directory,
      env: { ...env, ...more, LITHOPS_CACHE_DIR: cacheDirectory ?? path.join(directory, 'cache') },
      timeout: 60_000,
    })
    return JSON.parse(stdout)
  }

  remove(): void {
    this.#harness.remove()
  }
}
