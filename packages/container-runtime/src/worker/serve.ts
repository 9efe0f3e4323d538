import { SLOT_ARGUMENT } from '../worker-arguments.ts'
import { workerProgram } from './image-folders.ts'
import type { WorkerSettings } from './settings.ts'
import { WorkerPool } from './worker-pool.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Serves until the platform ends it. Resolves when it listens.
 *
 * @param environment that it was started with
 * @param fail ends the process, and says why
 */
export async function serve(
  settings: WorkerSettings,
  environment: NodeJS.ProcessEnv,
  fail: (message: string) => never,
): Promise<void> {
  const { workerProcesses, concurrency, accessKey } = settings
  let isTold = false
  // first of all: a call can run when these have started, and they take longer than what follows
  const pool = new WorkerPool({
    args: [workerProgram(), SLOT_ARGUMENT],
    size: workerProcesses,
    concurrency,
    onBroken: reason => fail(`The processes that run functions do not start: ${reason}`),
  })
  const [{ startHttpWorker }, { leaveFirstProcess }] = await Promise.all([
    import('./http-server.ts'),
    import('./init-process.ts'),
  ])
  const worker = startHttpWorker({
    settings,
    pool,
    mayEnter: accessKey === undefined ? () => true : (await import('./access-key.ts')).keyCheck(accessKey),
    onIdle: () => {
      if (!isTold) leaveFirstProcess(workerProgram(), environment)
    },
  })
  for (const signal of SIGNALS)
    process.on(signal, () => {
      // somebody who says it twice means at once
      if (isTold) process.exit(1)
      isTold = true
      void worker.end().then(() => process.exit(0))
    })
  const port = await worker.listening
  process.stdout.write(`lithops worker: listens on port ${port}\n`)
}
