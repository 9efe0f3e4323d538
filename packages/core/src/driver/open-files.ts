import { readFileSync } from 'node:fs'

/** What else has files and sockets open in a program. */
const SPARE_DESCRIPTORS = 64

/** How many connections of the wanted ones this process may hold, by its limit of open files; at least one. */
export function withinOpenFiles(wanted: number): number {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limitsOfProcess())?.[1] ?? Number.POSITIVE_INFINITY)
  return Math.max(1, Math.min(wanted, soft - SPARE_DESCRIPTORS))
}

/** Empty where the system has no such file. */
function limitsOfProcess(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return ''
  }
}
