import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RuntimeBuildError, type WorkerDriver } from '@lithops/core/driver'
import { workerFile } from './worker-file.ts'

/** For ESM packages that ask where they are. */
const FILE_URL = '__lithopsFileUrl'
const BANNER = `const ${FILE_URL}=require("node:url").pathToFileURL(__filename).href;`

const bundles = new Map<string, Promise<Uint8Array>>()

/**
 * The worker in one CommonJS file that imports nothing but Node, for `WorkerImage.worker`: it serves HTTP, and runs batches. The
 * same drivers give the same bytes.
 *
 * @param drivers of storages and monitors that its jobs need, as `DeployOptions.drivers` has them
 * @throws RuntimeBuildError when a driver cannot be bundled: one of its modules waits at its top level (`await`), say
 */
export function bundleWorker(drivers: readonly WorkerDriver[] = []): Promise<Uint8Array> {
  const key = JSON.stringify(drivers.map(({ kind, module }) => [kind, module]).sort())
  let bundle = bundles.get(key)
  if (bundle === undefined) {
    bundle = drivers.length === 0 ? readFile(workerFile('entry.cjs')) : bundleWith(drivers)
    bundles.set(key, bundle)
    bundle.catch(() => bundles.delete(key))
  }
  return bundle
}

async function bundleWith(drivers: readonly WorkerDriver[]): Promise<Uint8Array> {
  const { build } = await import('esbuild')
  const sorted = [...drivers].sort((a, b) => (a.module < b.module ? -1 : 1))
  // loaded by the processes that run functions, and not by the one that serves
  const load = (kind: WorkerDriver['kind'], name: string) =>
    `(await Promise.all([${sorted
      .filter(driver => driver.kind === kind)
      .map(({ module }) => `import(${JSON.stringify(module)})`)
      .join(', ')}])).map(m => m.${name} ?? m.default?.${name})`
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { startWorker } from ${JSON.stringify(workerFile('start.cjs'))}
startWorker(async () => ({
  storages: ${load('storage', 'storage')},
  monitors: ${load('monitor', 'publisher')},
}))`,
        resolveDir: dirname(workerFile('start.cjs')),
        sourcefile: 'entry.mjs',
      },
      bundle: true,
      write: false,
      minify: true,
      keepNames: true,
      platform: 'node',
      format: 'cjs',
      define: { 'import.meta.url': FILE_URL },
      target: 'node20',
      legalComments: 'none',
      logLevel: 'silent',
      banner: { js: BANNER },
    })
    return outputFiles[0]?.contents ?? new Uint8Array(0)
  } catch (cause) {
    throw new RuntimeBuildError(
      `The worker could not be bundled with ${drivers.map(({ name }) => name).join(', ')}: ${(cause as Error).message}`,
      { cause },
    )
  }
}
