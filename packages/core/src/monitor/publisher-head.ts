import type { WorkerSecrets } from '../driver/compute-backend.ts'
import type { Monitor, PublisherAddress } from '../driver/monitor.ts'
import { namedSecrets } from '../storage/open-storage.ts'
import type { PublisherHead } from '../worker/protocol.ts'

/** What a job's activations say of its way home, and what must be placed for it. */
export function publisherHead(
  monitor: Monitor,
  address: PublisherAddress,
): { readonly publisher: PublisherHead; readonly secrets: WorkerSecrets | undefined } {
  // every worker has that publisher; the monitor may have given its fallback
  if (address.kind === 'storage') return { publisher: address, secrets: undefined }
  const { fallback: _fallback, ...own } = address
  const secrets = namedSecrets(monitor.name, own, monitor.workerSecrets?.())
  const { workerModule } = monitor
  return {
    publisher: {
      ...address,
      ...(workerModule === undefined ? {} : { module: workerModule }),
      ...(secrets === undefined ? {} : { secretsId: secrets.storageId }),
    },
    secrets,
  }
}
