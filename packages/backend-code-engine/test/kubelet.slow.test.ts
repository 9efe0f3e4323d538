import { kubernetesCluster } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'
import { containerCases } from './container-cases.ts'

// The same on the node of a real Kubernetes, as Code Engine runs them: it pulls, starts, ends and kills by a kubelet.

const { test, cluster } = containerCases({ bucket: 'kubelet', node: kubernetesCluster })

test('of what has ended nothing is left in the cluster', async () => {
  const places = [
    '/apis/batch/v1/namespaces/default/jobs',
    '/api/v1/namespaces/default/pods',
    '/api/v1/namespaces/default/configmaps',
  ]
  const names = async () =>
    (
      await Promise.all(places.map(place => cluster().request<{ items: NamedObject[] }>('GET', place)))
    ).flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
  await expect.poll(names, { timeout: 60_000 }).toEqual([])
})

interface NamedObject {
  readonly metadata: { readonly name: string }
}
