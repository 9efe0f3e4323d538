import { computeConformance } from '@lithops/core/testing'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { cloud } from './cloud.ts'

// The kit once more, with events whose results come by the storage monitor.

// an environment is a process here: events of a whole map must not start one each
const quotas = { concurrentExecutions: 4, requestsPerSecondPerConcurrency: 1000 }
const aws = cloud({ quotas, timing: { asyncBackoffMs: 20 } })
const server = withRealPart(minio)

computeConformance({
  test: (name, run) => server.test(name, run),
  createBackend: () => aws.open({ invocation: 'async', max_workers: 4 }),
  executorOptions: {
    storage: 'minio',
    monitoring: 'storage',
    // the server is there when the first case runs
    get config() {
      const { endpoint, accessKeyId, secretAccessKey } = server.part
      return {
        minio: {
          endpoint,
          access_key_id: accessKeyId,
          secret_access_key: secretAccessKey,
          storage_bucket: 'lambda-async',
        },
      }
    },
  },
  timing: { callMs: 60_000, manyCalls: 60 },
})
