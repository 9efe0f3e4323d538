// Runs a kubelet with its containerd, so that nothing of them is left: in namespaces of their own, below a group of their own, which
// is removed in the end. Ends when it gets SIGTERM, or when the kubelet ends.
//
//   node kubernetes-node.mjs <folder> <name of the group> <unshare> <containerd> <ctr> <kubelet>

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const CGROUPS = '/sys/fs/cgroup'
const SCRIPT = fileURLToPath(new URL('kubernetes-node.sh', import.meta.url))
/** Processes that were killed are gone in a moment. */
const REMOVAL_TRIES = 100
const REMOVAL_PAUSE_MS = 20

const [folder, group, unshare, ...programs] = process.argv.slice(2)
const groups = hierarchies().map(hierarchy => path.join(hierarchy, group))
for (const one of groups) mkdirSync(one, { recursive: true })

const node = spawn(
  unshare,
  ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', SCRIPT, folder, ...programs],
  { stdio: ['ignore', 'inherit', 'inherit'] },
)
node.on('error', error => console.error(error.message))
node.on('close', async code => {
  for (const one of groups) await removeGroup(one)
  process.exit(code ?? 1)
})
// the first process of the namespace goes with it, and all others with that one
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => node.kill('SIGKILL'))

/** Version 2 of control groups has one hierarchy, version 1 one for each controller. */
function hierarchies() {
  if (existsSync(path.join(CGROUPS, 'cgroup.controllers'))) return [CGROUPS]
  const mounted = readFileSync('/proc/self/mounts', 'utf8').matchAll(/^\S+ (\S+) cgroup2? /gm)
  return [...mounted].map(([, place]) => place)
}

async function removeGroup(place) {
  const inner = existsSync(place) ? readdirSync(place, { withFileTypes: true }) : []
  for (const one of inner) if (one.isDirectory()) await removeGroup(path.join(place, one.name))
  for (let i = 0; existsSync(place) && i < REMOVAL_TRIES; i++) {
    try {
      rmdirSync(place)
    } catch {
      await sleep(REMOVAL_PAUSE_MS)
    }
  }
}
