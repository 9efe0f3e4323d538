import type { PlatformPolicy } from '@lithops/core/driver'
import type { KnativeSettings } from './config.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'
const NAME = 'lithops-ts'

export type PolicySettings = Pick<
  KnativeSettings,
  'namespace' | 'ingress' | 'networkingLayer' | 'serviceAccount'
>

/** What the user's own account must be allowed in the namespace. */
export function deployerRole({ namespace = 'default' }: PolicySettings) {
  return {
    apiVersion: RBAC,
    kind: 'Role',
    metadata: { name: NAME, namespace },
    rules: [
      {
        apiGroups: ['serving.knative.dev'],
        resources: ['services'],
        verbs: ['get', 'list', 'create', 'update', 'delete'],
      },
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'create', 'update', 'delete'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    ],
  }
}

function bindingOf(kind: 'Role' | 'ClusterRole', name: string, namespace?: string) {
  return {
    apiVersion: RBAC,
    kind: `${kind}Binding`,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'YOU' }],
  }
}

/** What finding the gateway needs, where neither a domain nor the config leads to it. */
export function gatewayRole() {
  return {
    apiVersion: RBAC,
    kind: 'ClusterRole',
    metadata: { name: `${NAME}-gateway` },
    rules: [
      {
        apiGroups: [''],
        resources: ['services'],
        resourceNames: ['kourier', 'istio-ingressgateway', 'envoy'],
        verbs: ['get'],
      },
      { apiGroups: [''], resources: ['nodes'], verbs: ['list'] },
    ],
  }
}

export function policiesOf(settings: PolicySettings): readonly PlatformPolicy[] {
  const { namespace = 'default', ingress } = settings
  return [
    {
      name: 'deployer',
      purpose: 'for your own account: to deploy, run, look at and remove runtimes',
      document: deployerRole(settings),
    },
    {
      name: 'deployer binding',
      purpose: 'gives it to you: put the name of your user, or a group or service account, in its subjects',
      document: bindingOf('Role', NAME, namespace),
    },
    ...(ingress === undefined
      ? [
          {
            name: 'gateway',
            purpose:
              'only where the cluster has no domain and the config no ingress_endpoint: to find the gateway (nodes: where it has no load balancer)',
            document: gatewayRole(),
          },
          {
            name: 'gateway binding',
            purpose: 'gives that to you',
            document: bindingOf('ClusterRole', `${NAME}-gateway`),
          },
        ]
      : []),
  ]
}
