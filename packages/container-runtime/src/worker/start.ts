import { fileURLToPath } from 'node:url'
import { CloudWorker } from '@lithops/core/worker'
import { BATCH_ARGUMENT, METADATA_ARGUMENT } from '../batch-file.ts'
import { exitFactsOf, TELL_BY_EXIT_VARIABLE } from '../exit-facts.ts'
import { ACCESS_KEY_VARIABLE } from '../http-protocol.ts'
import { isFirstProcess, runAsChild } from './as-child.ts'
import { batchIndex, runBatch } from './batch.ts'
import { startHttpWorker } from './http-server.ts'
import { functionFolder } from './image-folders.ts'
import { leaveFirstProcess } from './init-process.ts'
import { readSettings } from './settings.ts'
import { runSlot, type WorkerDrivers } from './slot.ts'

/** Argument of the processes that run functions. */
const SLOT_ARGUMENT = 'slot'
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * What the file of a worker does when it is started. Without an argument it serves, and runs functions in further processes
 * of itself, so that what a function does to its process (busy loops, exits, too much memory) does not keep it from answering.
 * `batch`: it runs one activation of a batch. `metadata`: it says what it is.
 *
 * @param file URL of the file that is started
 * @param loadDrivers drivers of storages and monitors that the runtime brings; called where functions run
 */
export async function startWorker(file: string, loadDrivers: () => Promise<WorkerDrivers>): Promise<void> {
  try {
    const [, , argument] = process.argv
    const environment = { ...process.env }
    const settings = readSettings(environment)
    // neither functions nor what they start see it
    delete process.env[ACCESS_KEY_VARIABLE]
    switch (argument) {
      case undefined:
        await serve(file, settings, environment)
        break
      case SLOT_ARGUMENT:
        await runSlot(await loadDrivers(), settings.concurrency)
        break
      case BATCH_ARGUMENT:
        if (isFirstProcess()) await runAsChild(fileURLToPath(file), [BATCH_ARGUMENT])
        await runBatch(await loadDrivers(), settings.graceMs)
        // connections of storages and monitors would keep it
        return process.exit(0)
      case METADATA_ARGUMENT: {
        const { metadata } = new CloudWorker({ workerId: 'metadata', functionFolder: functionFolder() })
        if (process.env[TELL_BY_EXIT_VARIABLE] !== undefined)
          return process.exit(exitFactsOf(metadata)[batchIndex(process.env)])
        process.stdout.write(`${JSON.stringify(metadata)}\n`)
        break
      }
      default:
        throw new RangeError(
          `A worker knows the arguments '${BATCH_ARGUMENT}' and '${METADATA_ARGUMENT}', and not ${JSON.stringify(argument)}.`,
        )
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
  }
}

async function serve(
  file: string,
  settings: ReturnType<typeof readSettings>,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  let isTold = false
  const worker = startHttpWorker(settings, {
    args: [fileURLToPath(file), SLOT_ARGUMENT],
    onIdle: () => {
      if (!isTold) leaveFirstProcess(fileURLToPath(file), environment)
    },
    onBroken: reason => fail(`The processes that run functions do not start: ${reason}`),
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

function fail(message: string): never {
  process.stderr.write(`lithops worker: ${message}\n`)
  process.exit(1)
}
