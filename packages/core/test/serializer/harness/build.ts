import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const here = path.dirname(fileURLToPath(import.meta.url))
const packageRoot = path.resolve(here, '../../..')

/** The folder with codec/, function/ and worker/ that is tested. */
const sourceRoot = process.env.LITHOPS_SERIALIZER_SOURCE ?? path.join(packageRoot, 'src')

const product: Plugin = {
  name: 'product',
  setup(builder) {
    builder.onResolve({ filter: /^lithops:source\// }, args => ({
      path: path.join(sourceRoot, args.path.slice('lithops:source/'.length)),
    }))
  },
}

export interface BuiltHarness {
  /** A folder below the package, so that the product's own dependencies resolve from it. */
  readonly directory: string
  readonly clientFile: string
  /** The library that programs of the runner matrix import: `ship(fn, ...args)` and the client API. */
  readonly libraryFile: string
  /** One file without any import but of Node: it runs where nothing is installed. */
  readonly workerFile: string
  remove(): void
}

/** Builds client and worker once per test file; about 100 ms. */
export async function buildHarness(): Promise<BuiltHarness> {
  const parent = path.join(packageRoot, '.cache')
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(path.join(parent, 'serializer-'))
  const common = {
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    define: { __LITHOPS_VERSION__: '"0.0.0-test"' },
    plugins: [product],
  } as const
  await Promise.all([
    build({
      ...common,
      entryPoints: [path.join(here, 'client-main.ts'), path.join(here, 'library.ts')],
      outdir: directory,
      outExtension: { '.js': '.mjs' },
      format: 'esm',
      splitting: true,
      packages: 'external',
    }),
    build({
      ...common,
      entryPoints: [path.join(here, 'worker-main.ts')],
      outfile: path.join(directory, 'worker.mjs'),
      format: 'esm',
    }),
  ])
  return {
    directory,
    clientFile: path.join(directory, 'client-main.mjs'),
    libraryFile: path.join(directory, 'library.mjs'),
    workerFile: path.join(directory, 'worker.mjs'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
