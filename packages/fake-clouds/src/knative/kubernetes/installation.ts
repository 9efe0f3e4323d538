import type { KubernetesApi } from '../../real-parts/kubernetes.ts'
import type { KnativeCluster } from '../options.ts'
import { GATEWAYS } from '../serving/gateway.ts'
import { SERVING } from './cluster-client.ts'
import type { NodeAgent } from './node-agent.ts'
import { webhookConfigurations } from './webhooks.ts'

/** The one node of the cluster. */
export const NODE_NAME = 'node-1'
const KNOWN_WITHIN_MS = 30_000
const LOOK_AGAIN_MS = 50

/** Where objects of a kind are made. */
const PATHS: Readonly<Record<string, string>> = {
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/NAMESPACE/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/NAMESPACE/rolebindings',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  MutatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  ValidatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  ResourceQuota: '/api/v1/namespaces/NAMESPACE/resourcequotas',
}

export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** The path of the objects of a manifest's kind, in its namespace. */
export function pathOf({ kind, metadata }: Manifest): string {
  const path = PATHS[kind]
  if (path === undefined) throw new Error(`where objects of the kind ${kind} are made is not known here`)
  return path.replace('NAMESPACE', metadata.namespace ?? 'default')
}

/** Waits for what the API server makes of an object a moment after it has taken it. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + KNOWN_WITHIN_MS
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what} did not come true in ${KNOWN_WITHIN_MS} ms`)
    await new Promise(done => setTimeout(done, LOOK_AGAIN_MS))
  }
}

/** Knative's definitions and webhooks, a node, and the gateway as far as others see it: what an installation makes. */
export async function install(
  api: KubernetesApi,
  cluster: KnativeCluster,
  { agent, gatewayPort }: { readonly agent: NodeAgent; readonly gatewayPort: number },
): Promise<void> {
  for (const definition of await api.knativeDefinitions())
    await api.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
  const { group, version } = SERVING
  for (const plural of ['services', 'configurations', 'revisions', 'routes'])
    await until(`${plural} of Knative are known`, () =>
      api.request('GET', `/apis/${group}/${version}/namespaces/default/${plural}`).then(
        () => true,
        () => false,
      ),
    )
  for (const manifest of webhookConfigurations(agent.origin, agent.certificate) as Manifest[])
    await api.request('POST', pathOf(manifest), manifest)
  await makeNamespace(api, cluster.namespace)
  await makeNode(api, agent)
  await makeGateway(api, cluster, gatewayPort)
}

/** Pods in it must keep the strictest standard that Kubernetes has. */
async function makeNamespace(api: KubernetesApi, name: string): Promise<void> {
  const metadata = { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
  if (name === 'default') await api.request('PATCH', `/api/v1/namespaces/${name}`, { metadata })
  else await api.request('POST', '/api/v1/namespaces', { metadata })
}

async function makeNode(api: KubernetesApi, agent: NodeAgent): Promise<void> {
  await api.request('POST', '/api/v1/nodes', { metadata: { name: NODE_NAME } })
  await api.request('PATCH', `/api/v1/nodes/${NODE_NAME}/status`, {
    status: {
      addresses: [
        { type: 'Hostname', address: NODE_NAME },
        { type: 'InternalIP', address: '127.0.0.1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
    },
  })
}

async function makeGateway(
  api: KubernetesApi,
  { gateway, gatewayPort: reach }: KnativeCluster,
  port: number,
): Promise<void> {
  if (gateway === 'none') return
  const [namespace, name] = GATEWAYS[gateway]
  const isBalanced = reach === 'balancer'
  await api.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  await api.request('POST', `/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: {
      ...(isBalanced ? { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false } : { type: 'NodePort' }),
      // the port of a real one is 80: nothing may listen there without being root
      ports: [{ name: 'http2', port: isBalanced ? port : 8081, ...(isBalanced ? {} : { nodePort: port }) }],
    },
  })
  if (!isBalanced) return
  await api.request('PATCH', `/api/v1/namespaces/${namespace}/services/${name}/status`, {
    status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } },
  })
}
