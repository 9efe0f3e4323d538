import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { CaptureOptions, FunctionBundle } from './captured-function.ts'

const BANNER =
  "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fu}from'node:url';const require=__cr(import.meta.url),__filename=__fu(import.meta.url),__dirname=__filename.replace(/[\\\\/][^\\\\/]*$/,'');"

const built = new Map<string, Promise<FunctionBundle>>()

export function bundleModule(
  code: string,
  needsBundle: boolean,
  options: CaptureOptions,
): Promise<FunctionBundle> {
  const key = JSON.stringify([code, options])
  let bundle = built.get(key)
  if (bundle === undefined) {
    bundle = make(code, needsBundle, options)
    built.set(key, bundle)
    bundle.catch(() => built.delete(key))
  }
  return bundle
}

async function make(code: string, needsBundle: boolean, options: CaptureOptions): Promise<FunctionBundle> {
  const text = needsBundle ? await build(code, options) : code
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32)
  const directory =
    process.env.LITHOPS_CACHE_DIR ?? join(tmpdir(), `lithops-${userInfo().username}`, 'cache', 'functions')
  const file = join(directory, `${hash}.mjs`)
  if (!existsSync(file)) {
    await mkdir(directory, { recursive: true })
    const temporary = `${file}.${randomBytes(6).toString('hex')}`
    await writeFile(temporary, text)
    await rename(temporary, file)
  }
  return { hash, file, sizeBytes: Buffer.byteLength(text), externalPackages: [], read: () => readFile(file) }
}

async function build(code: string, options: CaptureOptions): Promise<string> {
  const { build: esbuild } = await import('esbuild')
  const result = await esbuild({
    stdin: { contents: code, loader: 'js', resolveDir: process.cwd(), sourcefile: 'lithops-function.mjs' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    external: [...(options.excludeModules ?? [])],
    keepNames: true,
    legalComments: 'none',
    banner: { js: BANNER },
    plugins: [
      {
        name: 'lithops',
        setup(b) {
          b.onResolve({ filter: /^lithops:/ }, async args => {
            const [, encoded = '', ...rest] = args.path.split(':')
            const importer = Buffer.from(encoded, 'base64url').toString()
            return b.resolve(rest.join(':'), {
              kind: args.kind,
              importer: importer || undefined,
              resolveDir: importer ? dirname(importer) : process.cwd(),
            })
          })
        },
      },
    ],
  })
  return result.outputFiles[0]?.text ?? ''
}
