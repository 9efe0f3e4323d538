import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../..')

export interface TestNode {
  readonly major: number
  /** e.g. [22, 18]. */
  readonly version: readonly [number, number]
  readonly file: string
}

/** By major version: this process's Node, those of LITHOPS_TEST_NODES, and those of scripts/install-test-nodes.mjs. */
export function findNodes(): Map<number, TestNode> {
  const nodes = new Map<number, TestNode>()
  for (const file of [process.execPath, ...named(), ...installed()]) {
    const [major = 0, minor = 0] = versionOf(file)
    if (!nodes.has(major)) nodes.set(major, { major, version: [major, minor], file })
  }
  return nodes
}

/** Where real parts are required, brings those that are missing; elsewhere a missing one is a skip. */
export function installNodesIfRequired(majors: readonly number[]): void {
  if (process.env.LITHOPS_REQUIRE_REAL_PARTS !== '1') return
  const nodes = findNodes()
  const missing = majors.filter(major => !nodes.has(major)).map(String)
  if (missing.length === 0) return
  const script = path.join(repository, 'scripts', 'install-test-nodes.mjs')
  spawnSync(process.execPath, [script, ...missing], { stdio: 'inherit' })
}

/** Begins as the reasons do that fail a run under LITHOPS_REQUIRE_REAL_PARTS=1. */
export function missingNode(major: number): string {
  return `real part missing: Node ${major}; run node scripts/install-test-nodes.mjs or set LITHOPS_TEST_NODES`
}

function named(): string[] {
  return (process.env.LITHOPS_TEST_NODES ?? '')
    .split(',')
    .filter(Boolean)
    .map(file => (existsSync(path.join(file, 'bin', 'node')) ? path.join(file, 'bin', 'node') : file))
}

function installed(): string[] {
  const folder = path.join(repository, '.cache', 'nodes', 'node_modules')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => name.startsWith('node'))
    .map(name => path.join(folder, name, 'bin', 'node'))
    .filter(file => existsSync(file))
}

function versionOf(file: string): number[] {
  return execFileSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8', env: {} })
    .trim()
    .split('.')
    .map(Number)
}
