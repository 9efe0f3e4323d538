import { join } from 'node:path'
import { FakeCloudRun, STAND_IN_TOOL } from '@lithops/fake-clouds/cloudrun'
import { examplesSuite } from '@lithops/fake-clouds/examples'

examplesSuite({
  name: 'Cloud Run',
  packages: ['backend-gcp-cloudrun'],
  more: [
    { file: join('docs', 'snippets', 'backends', 'gcp-cloudrun.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ },
  ],
  start: async () => {
    const cloud = await FakeCloudRun.start()
    const { endpoint, region, registry, credentialsPath, env } = cloud
    return {
      sections: {
        lithops: { backend: 'gcp_cloudrun' },
        gcp: { region, credentials_path: credentialsPath },
        gcp_cloudrun: {
          endpoint,
          docker_server: registry.host,
          docker_user: 'oauth2accesstoken',
          container_tool: STAND_IN_TOOL,
          max_workers: 4,
        },
      },
      env,
      ranCount: () => cloud.activations.length,
      close: () => cloud.close(),
    }
  },
})
