// Ends process groups when whoever started this process closes its input, or dies, and removes a folder then. Tests
// that are killed leave no process and no file behind.
//
//   node group-guard.mjs <folder>       input, a line each: + <pid of a group> | - <pid of a group>

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [folder] = process.argv.slice(2)
const groups = new Set()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end)
const lines = createInterface({ input: process.stdin })
lines.on('line', line => {
  const [action, pid] = line.split(' ')
  if (action === '+') groups.add(Number(pid))
  else groups.delete(Number(pid))
})
lines.on('close', end)

function end() {
  for (const pid of groups) kill(-pid)
  // what left its group still has the folder in its environment
  for (const pid of strays()) kill(pid)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  process.exit()
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
}

/** Linux alone tells the environment of processes. */
function strays() {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'latin1').includes(`LITHOPS_FAKE_AWS=${folder}\0`)
      } catch {
        return false
      }
    })
    .map(Number)
}
