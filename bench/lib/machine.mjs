import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const WATCH_MS = 500
/** Above this share of the cores' time the machine is not quiet. */
const QUIET_SHARE = 0.05

const PEER_PACKAGES = ['piscina', 'tinypool', 'faastjs', 'p-map', '@pulumi/pulumi']

function packageVersion(folder) {
  return JSON.parse(readFileSync(new URL(`${folder}/package.json`, import.meta.url), 'utf8')).version
}

function commit() {
  const git = (...args) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const changes = git('status', '--porcelain', '--untracked-files=no')
    return git('rev-parse', '--short', 'HEAD').trim() + (changes ? ', with changes' : '')
  } catch {
    return 'unknown'
  }
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: +(totalmem() / 2 ** 30).toFixed(1),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    commit: commit(),
    packages: Object.fromEntries([
      ['@lithops/core', packageVersion('../../packages/core')],
      ...PEER_PACKAGES.map(name => [name, packageVersion(`../node_modules/${name}`)]),
    ]),
  }
}

function cpuTimes() {
  let total = 0
  let idle = 0
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.idle + times.irq
    idle += times.idle
  }
  return { total, idle }
}

/** What others use of the cores while this run itself rests; loadavg alone would also count this run. */
export async function watchOthers() {
  const before = cpuTimes()
  await sleep(WATCH_MS)
  const after = cpuTimes()
  const total = after.total - before.total
  const busy = total ? 1 - (after.idle - before.idle) / total : 0
  return { busy: +busy.toFixed(3), loadavg: loadavg().map(x => +x.toFixed(2)), quiet: busy <= QUIET_SHARE }
}
