// Brings other Node majors from the npm registry into .cache/nodes, for the tests that run clients on them.
//   node scripts/install-test-nodes.mjs

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const MAJORS = [22, 24]
const root = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), '.cache', 'nodes')
const packageName = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

for (const major of MAJORS) {
  const folder = path.join(root, String(major))
  const binary = path.join(folder, 'node_modules', packageName, 'bin', 'node')
  if (existsSync(binary)) continue
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n')
  try {
    execFileSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--loglevel=error', `${packageName}@${major}`],
      {
        cwd: folder,
        stdio: 'inherit',
      },
    )
    console.log(`Node ${major}: ${execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()}`)
  } catch (error) {
    console.error(`Node ${major} could not be installed: ${error.message}`)
    process.exitCode = 1
  }
}
