import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { captureBuild } from './ours.mjs'

const core = fileURLToPath(new URL('../../packages/core', import.meta.url))

/** Builds what the cases import: the package, and capture alone while the package does not export it. */
export async function prepare({ buildCore }) {
  if (buildCore) {
    const tsup = fileURLToPath(
      new URL('../../packages/core/node_modules/tsup/dist/cli-default.js', import.meta.url),
    )
    const { status, stdout, stderr } = spawnSync(process.execPath, [tsup], { cwd: core, encoding: 'utf8' })
    if (status !== 0) {
      console.warn(`packages/core could not be built, what is in its dist is measured:\n${stdout}${stderr}`)
    }
  }
  const source = `${core}/src/function/index.ts`
  if (!existsSync(source)) return
  await build({
    entryPoints: [source],
    outfile: captureBuild,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['esbuild'],
    logLevel: 'error',
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
    },
  }).catch(error => console.warn(`capture could not be bundled: ${error.message}`))
}
