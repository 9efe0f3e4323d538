import type { ContainerTools } from '../real-parts/container-tools.ts'

export interface CloudRunTiming {
  /** How long an operation takes beside what it waits for. Default: 60. */
  readonly operationMs: number
  /** From the decision to start an instance until its container is begun. Default: 0. */
  readonly scaleUpMs: number
  /** Instances without requests end after so long. Default: 30,000. */
  readonly scaleDownMs: number
  /** Longest time that a request waits for an instance. Default: 10,000. */
  readonly pendingMs: number
  /** From the removal of a service until its name is free. Default: 0. */
  readonly removalMs: number
  /** Until a policy of a secret counts. Default: 0; the real one takes up to two minutes. */
  readonly policyMs: number
  /** Until the log has what was written. Default: 150. */
  readonly logMs: number
  /** From SIGTERM to SIGKILL. Default: 10,000, as the platform has it. */
  readonly graceMs: number
}

/** Limits of the project and region. */
export interface CloudRunQuota {
  /** `CpuAllocPerProjectRegion`: thousandths of processors of all instances that services may have. */
  readonly cpuMillis?: number
  /** `MemAllocPerProjectRegion`, in MiB. */
  readonly memoryMiB?: number
  /** Jobs. Default: 1,000. */
  readonly jobs?: number
  /** Executions that run at once. Default: 1,000. */
  readonly executions?: number
}

export interface FakeCloudRunOptions {
  /** Default: 'us-east1'. */
  readonly region?: string
  /** What the caller may do, such as 'run.services.get'. Default: everything. */
  readonly permissions?: readonly string[]
  readonly timing?: Partial<CloudRunTiming>
  readonly quota?: CloudRunQuota
  /** Instances of all services that this machine has room for; more requests wait. Default: 4. */
  readonly mostInstances?: number
  /** How long tokens live, in milliseconds. Default: an hour. */
  readonly tokenMs?: number
  /** Containers are podman's, and images come from any registry that it reaches. Default: processes, and `registry`. */
  readonly containers?: Pick<ContainerTools, 'podman' | 'env'>
}

export const DEFAULT_TIMING: CloudRunTiming = {
  operationMs: 60,
  scaleUpMs: 0,
  scaleDownMs: 30_000,
  pendingMs: 10_000,
  removalMs: 0,
  policyMs: 0,
  logMs: 150,
  graceMs: 10_000,
}
