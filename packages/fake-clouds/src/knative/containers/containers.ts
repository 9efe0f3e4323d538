/** Who pulls, from a secret of type kubernetes.io/dockerconfigjson. */
export interface PullLogin {
  readonly user: string
  readonly password: string
}

export interface ContainerSpec {
  /** By digest. */
  readonly image: string
  readonly env: Readonly<Record<string, string>>
  /** In place of the image's entry point and arguments. Default: those. */
  readonly command?: readonly string[]
  /** Files that are mounted, by folder and name. Default: none. */
  readonly mounts?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly memoryBytes: number
  /** Thousandths of a processor. */
  readonly cpuMillis: number
}

export interface ContainerEnd {
  readonly exitCode: number
  readonly signal?: number
  readonly reason: 'OOMKilled' | 'Error' | 'Completed'
}

/** A container that was started. */
export interface Container {
  /** Where it listens on the loopback, once `listening` has resolved. */
  readonly port: number
  /** Resolves when something listens; rejects when it has ended before. */
  readonly listening: Promise<void>
  readonly ended: Promise<ContainerEnd>
  /** SIGTERM, and SIGKILL after the grace. */
  stop(graceMs: number): Promise<void>
  /** SIGKILL, to everything in it. */
  kill(): Promise<void>
}

/** What a node of the cluster does. */
export interface ContainerRuntime {
  /** Rejects with PullError. */
  pull(image: string, login: PullLogin | undefined): Promise<void>
  start(spec: ContainerSpec, onOutput: (text: string) => void): Promise<Container>
  close(): Promise<void>
}

/** Why an image cannot be had, in the words of a kubelet. */
export class PullError extends Error {}
