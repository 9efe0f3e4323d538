import { join } from 'node:path'
import { FakeCodeEngine } from '@lithops/fake-clouds/code-engine'
import { examplesSuite } from '@lithops/fake-clouds/examples'
import { STAND_IN_TOOL } from '@lithops/fake-clouds/knative'
import { minio, withRealPart } from '@lithops/fake-clouds/real-parts'

const server = withRealPart(minio)
const more = [
  { file: join('docs', 'snippets', 'backends', 'code_engine.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
]

/** Of a cloud, and a project that has what its config asks for. */
async function started(workload: 'jobs' | 'applications', others: Record<string, object>) {
  const cloud = await FakeCodeEngine.start({ projects: ['examples'] })
  const { registry, section, env } = cloud
  const { lithops, ...sections } = others
  return {
    sections: {
      lithops: { backend: 'code_engine', ...lithops },
      code_engine: {
        ...section,
        project_name: 'examples',
        workload,
        docker_server: registry.host,
        container_tool: STAND_IN_TOOL,
        runtime_memory: 512,
        max_workers: 4,
      },
      ...sections,
    },
    env,
    ranCount: () => cloud.instanceCount + cloud.activations.length,
    close: () => cloud.close(),
  }
}

examplesSuite({
  name: 'applications',
  packages: ['backend-code-engine'],
  more,
  start: () => started('applications', {}),
})

examplesSuite({
  name: 'jobs',
  packages: ['backend-code-engine', 'storage-minio'],
  more,
  test: server.test,
  start: () => {
    const { endpoint, accessKeyId, secretAccessKey } = server.part
    const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey }
    return started('jobs', {
      lithops: { storage: 'minio', monitoring: 'storage' },
      minio: { endpoint, ...keys, storage_bucket: 'code-engine-examples' },
    })
  },
})
