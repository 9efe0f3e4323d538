import { join } from 'node:path'
import { FakeCloudRun, STAND_IN_TOOL } from '@lithops/fake-clouds/cloudrun'
import { examplesSuite } from '@lithops/fake-clouds/examples'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'

const server = withRealPart(minio)
const packages = ['backend-gcp-cloudrun']
const more = [
  { file: join('docs', 'snippets', 'backends', 'gcp-cloudrun.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
]

async function started(workload: 'services' | 'jobs', others: Record<string, object>) {
  const cloud = await FakeCloudRun.start()
  const { endpoint, region, registry, credentialsPath, env } = cloud
  const { lithops, ...sections } = others
  return {
    sections: {
      lithops: { backend: 'gcp_cloudrun', ...lithops },
      gcp: { region, credentials_path: credentialsPath },
      gcp_cloudrun: {
        endpoint,
        workload,
        docker_server: registry.host,
        docker_user: 'oauth2accesstoken',
        container_tool: STAND_IN_TOOL,
        max_workers: 4,
      },
      ...sections,
    },
    env,
    ranCount: () => cloud.activations.length + cloud.startedTasks,
    close: () => cloud.close(),
  }
}

examplesSuite({ name: 'services', packages, more, start: () => started('services', {}) })

examplesSuite({
  name: 'jobs',
  packages: [...packages, 'storage-minio'],
  more,
  test: server.test,
  start: () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.part
    const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey }
    return started('jobs', {
      lithops: { storage: 'minio', monitoring: 'storage' },
      minio: { endpoint, ...keys, storage_bucket: 'cloudrun-examples' },
    })
  },
})
