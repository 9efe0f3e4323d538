import { type ExecutorOptions, FunctionExecutor } from '@lithops/core'
import type { ComputeBackend } from '@lithops/core/driver'
import { minio, withRealPart } from '../real-parts/index.ts'

/** Executors whose calls are told by a real storage, which the workers reach with secrets. Their bucket is made by the test. */
export function withMinio(bucket: string) {
  const server = withRealPart(minio)
  return {
    test: server.test,
    get options(): Omit<ExecutorOptions, 'backend'> {
      const { endpoint, accessKeyId, secretAccessKey } = server.part
      const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey }
      return {
        storage: 'minio',
        monitoring: 'storage',
        config: { minio: { endpoint, ...keys, storage_bucket: bucket } },
      }
    },
    get secret(): string {
      return server.part.secretAccessKey
    },
    open(on: ComputeBackend, options: Omit<ExecutorOptions, 'backend'> = {}): FunctionExecutor {
      return new FunctionExecutor({ backend: on, ...this.options, ...options })
    },
  }
}

export type MinioExecutors = ReturnType<typeof withMinio>
