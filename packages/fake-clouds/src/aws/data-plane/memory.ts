import { readdirSync, readFileSync } from 'node:fs'

const PAGE_BYTES = 4096

/** Resident memory of a process and its descendants, in bytes; undefined where the system does not tell. */
export function residentBytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const [, resident] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
    return childrenOf(pid).reduce(
      (sum, child) => sum + (residentBytes(child) ?? 0),
      Number(resident) * PAGE_BYTES,
    )
  } catch {
    // it has ended
    return undefined
  }
}

/** Each thread has children of its own. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(thread => {
    try {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
      return children.split(' ').filter(Boolean).map(Number)
    } catch {
      return []
    }
  })
}
