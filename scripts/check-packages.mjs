// Packs each public package as npm would publish it and checks the tarball: its shape, publint, the types as every
// kind of consumer resolves them, and the size of what runs on workers.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
/** What runs remotely must stay small: its size is part of every cold start. */
const MAX_WORKER_BYTES = { 'localhost/slot-main.cjs': 120 * 1024, 'worker/index.js': 112 * 1024 }
const problems = []

const packages = readdirSync(path.join(root, 'packages'))
  .map(name => path.join(root, 'packages', name))
  .filter(folder => existsSync(path.join(folder, 'package.json')))

for (const folder of packages) {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  if (manifest.private) continue
  checkShape(folder, manifest)
  const target = mkdtempSync(path.join(tmpdir(), 'lithops-pack-'))
  try {
    run(
      process.execPath,
      ['scripts/run.mjs', 'exec', '--dir', folder, 'pack', '--pack-destination', target],
      root,
    )
    const [tarball] = readdirSync(target).filter(file => file.endsWith('.tgz'))
    attempt(`${manifest.name}: publint`, () =>
      run(bin('publint'), ['run', path.join(target, tarball), '--strict'], root),
    )
    if (manifest.exports['.'] !== undefined) {
      attempt(`${manifest.name}: types`, () =>
        run(bin('attw'), [path.join(target, tarball), '--profile', 'node16', '--no-emoji'], root),
      )
    }
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}
checkWorkerSize()

for (const problem of problems) console.error(`failed: ${problem}`)
console.log(`${packages.length} packages checked, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1

function checkShape(folder, manifest) {
  const need = (isThere, what) => isThere || problems.push(`${manifest.name}: ${what}`)
  for (const file of ['README.md', 'LICENSE']) need(existsSync(path.join(folder, file)), `${file} is missing`)
  need(manifest.license === 'Apache-2.0', 'license must be Apache-2.0')
  need(manifest.engines?.node !== undefined, 'engines.node is missing')
  need(manifest.type === 'module', 'type must be module')
  need(Array.isArray(manifest.files) && manifest.files.includes('dist'), 'files must name dist')
  need(manifest.exports?.['./package.json'] !== undefined, 'exports must have ./package.json')
  for (const [entry, conditions] of Object.entries(manifest.exports ?? {})) {
    if (typeof conditions === 'string') continue
    for (const [condition, target] of Object.entries(conditions)) {
      need(
        typeof target === 'string' || Object.keys(target)[0] === 'types',
        `${entry} ${condition}: types must come first`,
      )
    }
  }
}

/** The worker of this machine as it is, and `@lithops/core/worker` as a backend bundles it. */
function checkWorkerSize() {
  const core = path.join(root, 'packages/core')
  const { buildSync } = createRequire(path.join(core, 'package.json'))('esbuild')
  for (const [name, maxBytes] of Object.entries(MAX_WORKER_BYTES)) {
    const entryPoints = [path.join(core, 'dist', name)]
    const options = { bundle: true, minify: true, platform: 'node', write: false, logLevel: 'error' }
    const [{ contents }] = buildSync({ entryPoints, format: 'esm', ...options }).outputFiles
    console.log(`${name}: ${(contents.length / 1024).toFixed(1)} KiB of at most ${maxBytes / 1024}`)
    if (contents.length > maxBytes)
      problems.push(`${name} has ${contents.length} bytes, more than ${maxBytes}`)
  }
}

function attempt(name, check) {
  try {
    check()
  } catch (error) {
    problems.push(name)
    console.error(`${error.stdout ?? ''}${error.stderr ?? ''}` || error)
  }
}

function bin(name) {
  return path.join(root, 'node_modules', '.bin', name)
}

function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
