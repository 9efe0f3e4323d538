import { CloudWorker } from '@lithops/core/worker'
import { functionFolder } from './image-folders.ts'

/** What this worker is. */
export function workerMetadata(): CloudWorker['metadata'] {
  return new CloudWorker({ workerId: 'metadata', functionFolder: functionFolder() }).metadata
}
