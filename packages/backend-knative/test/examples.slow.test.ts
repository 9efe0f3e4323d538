import { join } from 'node:path'
import { examplesSuite } from '@lithops/fake-clouds/examples'
import { FakeKnative, STAND_IN_TOOL } from '@lithops/fake-clouds/knative'

examplesSuite({
  name: 'Knative',
  packages: ['backend-knative'],
  more: [{ file: join('docs', 'snippets', 'backends', 'knative.ts'), prints: /^\[ 12\.1, 24\.2, 36\.3 \]$/ }],
  start: async () => {
    const cloud = await FakeKnative.start()
    return {
      sections: {
        lithops: { backend: 'knative' },
        knative: {
          docker_server: cloud.registry.host,
          container_tool: STAND_IN_TOOL,
          max_workers: 4,
          runtime_cpu: 0.5,
        },
      },
      env: cloud.env,
      ranCount: () => cloud.activations.length,
      close: () => cloud.close(),
    }
  },
})
