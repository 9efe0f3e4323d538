import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { MonitorError } from '@lithops/core/driver'

let found: string | undefined

/** The built file of the worker's half: beside the built client's half, or in dist/ when that runs from source. */
export function workerModule(): string {
  const here = path.dirname(fileURLToPath(import.meta.url))
  const files = [path.join(here, 'worker', 'index.js'), path.join(here, '..', 'dist', 'worker', 'index.js')]
  found ??= files.find(file => existsSync(file))
  if (found !== undefined) return found
  throw new MonitorError(
    'The file @lithops/monitor-rabbitmq/dist/worker/index.js, which workers need, was not found. If your program is bundled, ' +
      'keep @lithops/monitor-rabbitmq out of the bundle (external) and install it beside the bundle.',
    { code: 'LITHOPS_WORKER_FILE_NOT_FOUND' },
  )
}
