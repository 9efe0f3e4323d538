import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NotSupportedError } from '../errors/index.ts'
import { EnvironmentReads } from './environment-reads.ts'
import type { ModuleFactory } from './instantiate.ts'

const FUNCTION_FILE = /^([0-9a-f]{32})\.mjs$/
/** A module that takes longer, by an `await` of its own, goes on loading while the worker says that it is ready. */
const PRELOAD_MS = 5_000

/** Functions that a runtime brings, each a module `<hash>.mjs` in one folder. */
export class BroughtFunctions {
  readonly #folder: string
  /** Of the module that was loaded ahead, or could not be; what it has read of the environment. */
  #preloaded: { readonly hash: string; readonly reads: EnvironmentReads; isBroken: boolean } | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /** In order. */
  get hashes(): string[] {
    if (!existsSync(this.#folder)) return []
    return readdirSync(this.#folder)
      .flatMap(name => FUNCTION_FILE.exec(name)?.[1] ?? [])
      .sort()
  }

  /**
   * Where a function lies.
   *
   * @throws NotSupportedError where the runtime does not bring it
   */
  fileOf(hash: string): string {
    const file = join(this.#folder, `${hash}.mjs`)
    if (existsSync(file)) return file
    throw new NotSupportedError(
      `This runtime does not have function ${hash}: it was deployed for another one. Run \`lithops runtime update\`.`,
    )
  }

  /**
   * Loads the function's module before a call asks for it, if the runtime brings one alone. What fails is tried again by the call,
   * which tells of it. Never rejects.
   *
   * @param place gives the file to import, which lies where the module finds its packages
   */
  async preload(place: (hash: string) => Promise<string>): Promise<void> {
    const [hash, ...others] = this.hashes
    if (hash === undefined || others.length > 0) return
    const reads = EnvironmentReads.begin()
    const preloaded = { hash, reads, isBroken: false }
    this.#preloaded = preloaded
    const { exit } = process
    process.exit = code => {
      throw new Error(`The module of the function called process.exit(${code ?? ''}) while it was loaded.`)
    }
    const loading = place(hash)
      .then(file => importFile(file))
      // Node keeps the failure with the URL: the call imports another
      .catch(() => {
        preloaded.isBroken = true
      })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(() => {
        // what it reads from now on is not seen
        reads.sawAll()
        resolve()
      }, PRELOAD_MS)
    })
    await Promise.race([loading, late])
    clearTimeout(timer)
    process.exit = exit
    reads.end()
  }

  /**
   * Imports it, unless it was loaded ahead and the job's environment variables make no difference to it.
   *
   * @param place as for `preload`
   * @param extraEnv variables of the job
   */
  async import(
    hash: string,
    place: (hash: string) => Promise<string>,
    extraEnv: Readonly<Record<string, string>> = {},
  ): Promise<ModuleFactory> {
    this.fileOf(hash)
    const file = await place(hash)
    const { hash: preloadedHash, reads, isBroken } = this.#preloaded ?? {}
    if (preloadedHash !== hash) return importFile(file)
    const isUsable = !isBroken && reads?.hasSeenNoneOf(Object.keys(extraEnv))
    return importFile(file, isUsable ? '' : '?again')
  }
}

/** Imports the module of a function. */
export async function importFile(file: string, query = ''): Promise<ModuleFactory> {
  return ((await import(`${pathToFileURL(file).href}${query}`)) as { default: ModuleFactory }).default
}
