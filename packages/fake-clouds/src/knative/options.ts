import type { ContainerTools } from '../real-parts/container-tools.ts'
import type { RbacRole } from './api/accounts.ts'
import type { ImageRegistry } from './images/image-registry.ts'

/** Limits of a namespace, as a ResourceQuota has them. Absent ones do not hold. */
export interface KnativeQuota {
  readonly name: string
  readonly pods?: number
  readonly memoryMiB?: number
  readonly services?: number
}

export interface KnativeTiming {
  /** From a ready revision until the gateway knows its route. Default: 50. */
  readonly routeMs: number
  /** From the decision to start a pod until it is begun. Default: 0. */
  readonly scaleUpMs: number
  /** Workers without requests end after so long. Default: 30,000. */
  readonly scaleDownMs: number
  /** From the removal of a service until its object is gone. Default: 0, at once. */
  readonly removalMs: number
  /** From SIGTERM to SIGKILL. Default: 10,000. */
  readonly graceMs: number
}

export interface KnativeCluster {
  /** Default: 'default'. */
  readonly namespace: string
  /** Whose gateway there is, and how it is reached from outside; 'none': there is none. Default: 'kourier'. */
  readonly gateway: 'kourier' | 'istio' | 'contour' | 'none'
  readonly gatewayPort: 'balancer' | 'node port'
  /** Of the hosts of services. Default: 'example.com', which clusters without one of their own have. */
  readonly domain: string
  /** Pods that the nodes have room for; more wait. Default: 4. */
  readonly mostPods: number
  /** Requests that are held for a revision while its workers are busy; more are refused. Default: 10,000. */
  readonly queueDepth: number
}

export interface FakeKnativeOptions extends Partial<KnativeCluster> {
  /** What the user may do. Default: everything. */
  readonly roles?: readonly RbacRole[]
  readonly timing?: Partial<KnativeTiming>
  readonly quota?: KnativeQuota
  /** Containers are podman's, and images come from any registry that it reaches. Default: processes, and `registry`. */
  readonly containers?: Pick<ContainerTools, 'podman' | 'env'>
  /** Login of the registry that images of the processes come from. Default: anybody may pull and push. */
  readonly registryLogin?: { readonly user: string; readonly password: string }
  readonly registry?: ImageRegistry
}

export const DEFAULT_TIMING: KnativeTiming = {
  routeMs: 50,
  scaleUpMs: 0,
  scaleDownMs: 30_000,
  removalMs: 0,
  graceMs: 10_000,
}

export const DEFAULT_CLUSTER: KnativeCluster = {
  namespace: 'default',
  gateway: 'kourier',
  gatewayPort: 'balancer',
  domain: 'example.com',
  mostPods: 4,
  queueDepth: 10_000,
}
