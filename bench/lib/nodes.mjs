import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

function versionOf(binary) {
  try {
    return execFileSync(binary, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

/** Binaries at or a few levels below a path, e.g. `24.21.0/bin/node` or `node_modules/node/bin/node`. */
function binariesBelow(path, depth = 5) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  if (depth === 0) return []
  return readdirSync(path, { withFileTypes: true }).flatMap(entry => {
    const child = join(path, entry.name)
    if (entry.isDirectory()) return binariesBelow(child, depth - 1)
    return entry.name === 'node' || entry.name === 'node.exe' ? [child] : []
  })
}

/** A Node binary of this major from LITHOPS_TEST_NODES (binaries or folders) or the repository's `.cache/nodes`. */
export function findNode(major) {
  if (process.version.startsWith(`v${major}.`)) return { binary: process.execPath, version: process.version }
  const places = (process.env.LITHOPS_TEST_NODES ?? '').split(new RegExp(`[,${delimiter}]`)).filter(Boolean)
  for (const place of [...places, join(root, '.cache/nodes')]) {
    for (const binary of binariesBelow(place)) {
      const version = versionOf(binary)
      if (version?.startsWith(`v${major}.`)) return { binary, version }
    }
  }
  return undefined
}
