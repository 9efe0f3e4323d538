import { existsSync } from 'node:fs'
import { basename, isAbsolute } from 'node:path'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { DriverLog } from '../driver/driver.ts'
import { ConfigError } from '../errors/index.ts'
import { LocalhostBackend } from '../localhost/localhost-backend.ts'

/** The embedded backend as the section `localhost` wants it. */
export function localhostBackend(
  section: ResolvedConfig['localhost'] | undefined,
  log: DriverLog,
): LocalhostBackend {
  const runtime = section?.runtime === undefined ? undefined : nodeBinary(section.runtime, log)
  return new LocalhostBackend({
    ...(section?.worker_processes === undefined ? {} : { workers: section.worker_processes }),
    ...(section?.isolation === undefined ? {} : { isolation: section.isolation as 'worker' | 'call' }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(section?.runtime_memory === undefined ? {} : { memoryMiB: section.runtime_memory }),
  })
}

/**
 * The Node binary that `localhost: {runtime: …}` names; undefined for what Lithops (Python) has there, its interpreter
 * or a container image. From: get_environment in lithops/localhost/config.py.
 */
function nodeBinary(runtime: string, log: DriverLog): string | undefined {
  const isPath = isAbsolute(runtime) || runtime.startsWith('.')
  if (/^(python|pypy)[\d.]*(\.exe)?$/.test(basename(runtime))) {
    log.debug(`localhost.runtime is '${runtime}', for Lithops (Python): workers run on ${process.execPath}.`)
    return undefined
  }
  if (isPath && existsSync(runtime)) return runtime
  if (!isPath && /^node[\w.-]*$/.test(runtime)) return runtime
  if (isPath) throw new ConfigError(`localhost.runtime must be a Node binary: there is no file ${runtime}.`)
  log.warn(
    `localhost.runtime is '${runtime}', and localhost runs no container images: workers run on ${process.execPath}. ` +
      'Give the path of a Node binary to use another.',
  )
  return undefined
}
