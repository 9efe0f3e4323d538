import { readFileSync } from 'node:fs'

/** Where Linux counts processes that it has killed because a container was at its memory limit: cgroup v2, and v1. */
const COUNTERS = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control']

/** Processes of this container that were killed for want of memory so far; undefined where it is not told. */
export function memoryKills(): number | undefined {
  for (const file of COUNTERS) {
    try {
      const count = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1]
      if (count !== undefined) return Number(count)
    } catch {
      // another system, or another version of it
    }
  }
  return undefined
}
