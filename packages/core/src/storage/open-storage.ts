import { nodeCrypto } from '../builtins.ts'
import type { WorkerSecrets } from '../driver/compute-backend.ts'
import type { StorageBackend } from '../driver/storage-backend.ts'
import type { StorageHead } from '../worker/protocol.ts'

/** A storage with the bucket of operations that name none. */
export interface OpenStorage {
  readonly backend: StorageBackend
  readonly bucket: string
  /** File of its driver, for workers on this machine; undefined for what the worker brings. */
  readonly module?: string
  /** Nobody asked for it: a folder of this machine, for workers that see this machine's files. */
  readonly isDefault?: boolean
}

/** What a job's activations say of a storage. */
export function storageHead({ backend, bucket, module }: OpenStorage): StorageHead {
  const secrets = secretsOf(backend)
  return {
    name: backend.name,
    bucket,
    config: backend.workerConfig(),
    ...(module === undefined ? {} : { module }),
    ...(secrets === undefined ? {} : { secretsId: secrets.storageId }),
  }
}

/** What must be placed for a storage's workers; undefined where there is nothing secret. */
export function secretsOf(backend: StorageBackend): WorkerSecrets | undefined {
  return namedSecrets(backend.name, backend.workerConfig(), backend.workerSecrets?.())
}

/** Secrets with the id that workers find them by. It is made of what workers are told, never of the secrets: it travels. */
export function namedSecrets(
  name: string,
  told: unknown,
  values: Readonly<Record<string, string>> = {},
): WorkerSecrets | undefined {
  if (Object.keys(values).length === 0) return undefined
  const hash = nodeCrypto()
    .createHash('sha256')
    .update(JSON.stringify([name, told]))
    .digest('hex')
    .slice(0, 12)
  return { storageId: `${name}-${hash}`, storageName: name, values }
}
