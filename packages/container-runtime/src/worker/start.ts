import { exitFactsOf, TELL_BY_EXIT_VARIABLE } from '../exit-facts.ts'
import { ACCESS_KEY_VARIABLE } from '../http-protocol.ts'
import { BATCH_ARGUMENT, METADATA_ARGUMENT, SLOT_ARGUMENT } from '../worker-arguments.ts'
import { readSettings } from './settings.ts'
import type { WorkerDrivers } from './slot.ts'

/**
 * What the file of a worker does when it is started. Without an argument it serves, and runs functions in further processes
 * of itself, so that what a function does to its process (busy loops, exits, too much memory) does not keep it from answering.
 * `batch`: it runs one activation of a batch. `metadata`: it says what it is.
 *
 * Each of them loads its own part of the file when it is known that it is needed: a container has started when the second process has,
 * which therefore has to begin before the first one loads what it serves with.
 *
 * @param loadDrivers drivers of storages and monitors that the runtime brings; called where functions run
 */
export async function startWorker(loadDrivers: () => Promise<WorkerDrivers>): Promise<void> {
  try {
    const [, , argument] = process.argv
    const environment = { ...process.env }
    const settings = readSettings(environment)
    // neither functions nor what they start see it
    delete process.env[ACCESS_KEY_VARIABLE]
    switch (argument) {
      case undefined:
        await (await import('./serve.ts')).serve(settings, environment, fail)
        break
      case SLOT_ARGUMENT: {
        const { runSlot } = await import('./slot.ts')
        await runSlot(await loadDrivers(), settings.concurrency)
        break
      }
      case BATCH_ARGUMENT: {
        const { isFirstProcess, runAsChild } = await import('./as-child.ts')
        if (isFirstProcess()) await runAsChild([BATCH_ARGUMENT])
        const { runBatch } = await import('./batch.ts')
        await runBatch(await loadDrivers(), settings.graceMs)
        // connections of storages and monitors would keep it
        return process.exit(0)
      }
      case METADATA_ARGUMENT: {
        const metadata = (await import('./metadata.ts')).workerMetadata()
        if (process.env[TELL_BY_EXIT_VARIABLE] !== undefined) {
          const { batchIndex } = await import('./batch.ts')
          return process.exit(exitFactsOf(metadata)[batchIndex(process.env)])
        }
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

function fail(message: string): never {
  process.stderr.write(`lithops worker: ${message}\n`)
  process.exit(1)
}
