import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const CGROUPS = '/sys/fs/cgroup'
/** Version 1 of control groups has a hierarchy for each controller, all alike; version 2 has one. */
const HIERARCHY = existsSync(path.join(CGROUPS, 'cgroup.controllers')) ? CGROUPS : path.join(CGROUPS, 'pids')
/** What holds a pod, of which no container is: without it the kubelet would take the pod for a broken one. */
const PAUSE = 'pause'

/**
 * SIGKILL to the processes of a pod's containers. Those that are gone already are no error.
 *
 * @param group control group of the node
 */
export function killPod(group: string, uid: string): void {
  const pods = path.join(HIERARCHY, group, 'kubepods')
  const found = foldersIn(pods, 2).find(place => path.basename(place) === `pod${uid}`)
  if (found === undefined) return
  for (const container of foldersIn(found, 1))
    for (const pid of textOf(path.join(container, 'cgroup.procs')).split('\n').filter(Boolean).map(Number))
      if (textOf(`/proc/${pid}/comm`).trim() !== PAUSE) kill(pid)
}

function foldersIn(place: string, depth: number): readonly string[] {
  let inner: string[]
  try {
    inner = readdirSync(place, { withFileTypes: true })
      .filter(one => one.isDirectory())
      .map(({ name }) => path.join(place, name))
  } catch {
    return []
  }
  return depth === 1 ? inner : [...inner, ...inner.flatMap(one => foldersIn(one, depth - 1))]
}

/** Empty where there is none: what is read here may go at any time. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended meanwhile
  }
}
