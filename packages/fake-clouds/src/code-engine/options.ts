import type { ImageRegistry } from '../knative/images/image-registry.ts'
import type { ContainerTools } from '../real-parts/container-tools.ts'
import type { KubernetesCluster } from '../real-parts/kubernetes-cluster.ts'

/** How many of each a project may have. From: "Limits and quotas for Code Engine". */
export interface CodeEngineQuotas {
  readonly jobs: number
  /** Also those that have ended. */
  readonly job_runs: number
  readonly apps: number
  readonly config_maps: number
  readonly secrets: number
}

export interface CodeEngineTiming {
  /** From the making of a project until it is active. Default: 0. */
  readonly projectMs: number
  /** From the beginning of an instance until its container is started. Default: 0. */
  readonly startMs: number
  /** From a first failure to pull an image until its instance has failed. Default: 50. */
  readonly pullMs: number
  /** From SIGTERM to SIGKILL. Default: 10,000. */
  readonly graceMs: number
}

export interface FakeCodeEngineOptions {
  readonly quotas?: Partial<CodeEngineQuotas>
  readonly timing?: Partial<CodeEngineTiming>
  /** Instances of job runs that run at once; more wait. Default: 4, what a small machine holds. */
  readonly mostInstances?: number
  /** Names of projects that are there, and active. Default: none. */
  readonly projects?: readonly string[]
  /** Names of projects that were deleted less than seven days ago. */
  readonly deletedProjects?: readonly string[]
  /** Largest page of a list, whatever is asked for. Default: 100. */
  readonly pageSize?: number
  /** The user may read, and nothing else. Default: false. */
  readonly isReader?: boolean
  /** Containers are podman's, and images come from any registry that it reaches. Default: processes, and `registry`. */
  readonly containers?: Pick<ContainerTools, 'podman' | 'env'>
  /** Containers are pods of Jobs on the node of that cluster; images come from any registry of this machine. */
  readonly cluster?: KubernetesCluster
  /** Login of the registry that images of the processes come from. Default: anybody may pull and push. */
  readonly registryLogin?: { readonly user: string; readonly password: string }
  readonly registry?: ImageRegistry
}

export const DEFAULT_QUOTAS: CodeEngineQuotas = {
  jobs: 100,
  job_runs: 100,
  apps: 40,
  config_maps: 100,
  secrets: 100,
}

export const DEFAULT_TIMING: CodeEngineTiming = { projectMs: 0, startMs: 0, pullMs: 50, graceMs: 10_000 }
