import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Activation,
  type ActivationReport,
  COMPUTE_SPEC_VERSION,
  type ComputeBackend,
  type DeployOptions,
  encodeSecrets,
  type InvokeOptions,
  type RuntimeMetadata,
  type RuntimeSpec,
  SECRETS_ENVIRONMENT_NAME,
  WorkerLostError,
} from '@lithops/core/driver'
import type { KubernetesCluster } from '@lithops/fake-clouds/real-parts'
import {
  BATCH_ARGUMENT,
  BATCH_VARIABLE,
  buildWorkerImage,
  bundleWorker,
  encodeBatch,
  type ImageTool,
  METADATA_ARGUMENT,
  packBatch,
} from '../src/index.ts'
import { type IndexedJob, jobOf, type KubernetesPod, type PodSettings } from './kubernetes-job.ts'

const LOOK_MS = 200
const BATCH_FOLDER = '/lithops-batch'
const SECRET = 'secrets'
/** All that were made in this process: their names are of one cluster. */
let jobs = 0
const API = '/api/v1/namespaces/default'
const JOBS = '/apis/batch/v1/namespaces/default/jobs'

export interface KubernetesPlatformOptions extends PodSettings {
  readonly cluster: KubernetesCluster
  readonly tool: ImageTool
  /** Of a registry that the node reaches. */
  readonly registryHost: string
  readonly baseImage: string
}

interface Waiting {
  readonly payload: Uint8Array
  resolve(report: ActivationReport): void
  reject(error: unknown): void
}

/**
 * A platform of array jobs, as Indexed Jobs of Kubernetes: what is handed in together is one Job, whose batch lies in a config map.
 * The image is built, pushed, and pulled by the node.
 */
export class KubernetesPlatform implements ComputeBackend {
  readonly specVersion = COMPUTE_SPEC_VERSION
  readonly name = 'kubernetes_platform'
  readonly kind = 'batch'
  readonly capabilities = {
    synchronousReply: false,
    streamsReplies: false,
    maxPayloadBytes: 1024 * 1024,
    maxReplyBytes: Number.POSITIVE_INFINITY,
    maxTimeoutMs: Number.POSITIVE_INFINITY,
    maxActivations: 100,
    callsAtOnce: 1,
    sharesFileSystem: false,
    killsBusyCalls: true,
    freshWorkers: true,
    workersOutliveClient: false,
    placesSecrets: true,
  } as const
  readonly defaultRuntime: RuntimeSpec = { name: 'default' }
  readonly #options: KubernetesPlatformOptions
  readonly #watched: Promise<void>[] = []
  readonly #closing = new AbortController()
  #waiting: Waiting[] = []
  /** By digest, from `deployRuntime` on. */
  image = ''
  /** Names of all Jobs that ran batches, in the order of their starts. */
  readonly jobs: string[] = []

  constructor(options: KubernetesPlatformOptions) {
    this.#options = options
  }

  async deployRuntime(
    _: RuntimeSpec,
    { secrets = [], drivers = [] }: DeployOptions,
  ): Promise<RuntimeMetadata> {
    const { cluster, tool, registryHost, baseImage } = this.#options
    const repository = `${registryHost}/lithops-worker`
    const image = `${repository}:jobs`
    const platform = `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
    await buildWorkerImage(tool, { image, base: baseImage, worker: await bundleWorker(drivers), platform })
    this.image = `${repository}@${await tool.push(image)}`
    await this.#remove(`${API}/secrets/${SECRET}`)
    await cluster.request('POST', `${API}/secrets`, {
      metadata: { name: SECRET },
      stringData: { [SECRETS_ENVIRONMENT_NAME]: encodeSecrets(secrets) },
    })
    const name = `metadata-${++jobs}`
    await cluster.request('POST', JOBS, jobOf(name, 1, this.#pod([METADATA_ARGUMENT], {})))
    await this.#ended(name)
    const [pod] = await this.pods(name)
    return JSON.parse(await this.log(pod?.metadata.name ?? '')) as RuntimeMetadata
  }

  async listRuntimes() {
    return []
  }

  async deleteRuntime(): Promise<void> {}

  invoke({ payload }: Activation, _: InvokeOptions): Promise<ActivationReport> {
    return new Promise((resolve, reject) => {
      const isFirst = this.#waiting.push({ payload, resolve, reject }) === 1
      if (isFirst) setImmediate(() => this.#watched.push(this.#run(this.#waiting.splice(0))))
    })
  }

  /** Those of a Job, the oldest first. */
  async pods(job: string): Promise<readonly KubernetesPod[]> {
    const query = `labelSelector=${encodeURIComponent(`batch.kubernetes.io/job-name=${job}`)}`
    const { items } = await this.#options.cluster.request<{ items: KubernetesPod[] }>(
      'GET',
      `${API}/pods?${query}`,
    )
    return items.sort((one, other) =>
      one.metadata.creationTimestamp.localeCompare(other.metadata.creationTimestamp),
    )
  }

  /** What the container of a pod wrote, as the kubelet gives it. */
  log(pod: string): Promise<string> {
    return this.#options.cluster.request('GET', `${API}/pods/${pod}/log`)
  }

  job(name: string): Promise<IndexedJob> {
    return this.#options.cluster.request('GET', `${JOBS}/${name}`)
  }

  /** SIGTERM, and SIGKILL after the grace of its Job. */
  removePod(name: string): Promise<unknown> {
    return this.#options.cluster.request('DELETE', `${API}/pods/${name}`)
  }

  async clean(): Promise<readonly string[]> {
    return []
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#watched)
  }

  #pod(args: readonly string[], variables: Readonly<Record<string, string>>, configMap?: string) {
    const env = Object.entries(variables).map(([name, value]) => ({ name, value }))
    const key = SECRETS_ENVIRONMENT_NAME
    const secret = { name: key, valueFrom: { secretKeyRef: { name: SECRET, key } } }
    return {
      settings: this.#options,
      container: { image: this.image, args, env: [...env, secret] },
      ...(configMap === undefined ? {} : { mounted: { configMap, folder: BATCH_FOLDER } }),
    }
  }

  async #run(items: readonly Waiting[]): Promise<void> {
    const { cluster } = this.#options
    const name = `batch-${++jobs}`
    this.jobs.push(name)
    try {
      const batch = await packBatch(encodeBatch(items.map(({ payload }) => payload)))
      await cluster.request('POST', `${API}/configmaps`, { metadata: { name }, data: { batch } })
      const place = { file: `${BATCH_FOLDER}/batch`, isPacked: true }
      const pod = this.#pod([BATCH_ARGUMENT], { [BATCH_VARIABLE]: JSON.stringify(place) }, name)
      await cluster.request('POST', JOBS, jobOf(name, items.length, pod))
      await this.#ended(name)
      const pods = await this.pods(name)
      for (const [index, { resolve, reject }] of items.entries()) {
        const pod = pods.findLast(one => indexOf(one) === index)
        if (pod?.status.phase === 'Succeeded') resolve({ requestId: `${name}/${index}` })
        else reject(new WorkerLostError(`Index ${index} of the Job ${name} was lost: ${lossOf(pod)}.`))
      }
    } catch (error) {
      for (const { reject } of items) reject(error)
    } finally {
      if (this.#closing.signal.aborted) await this.#remove(`${JOBS}/${name}?propagationPolicy=Background`)
    }
  }

  /** Rejects when an image of it cannot be pulled, with the reason that the kubelet gives. */
  async #ended(name: string): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const { status } = await this.job(name)
      if (
        status.conditions?.some(({ type, status: is }) => /^(Complete|Failed)$/.test(type) && is === 'True')
      )
        return
      for (const { status: pod } of await this.pods(name)) {
        const waiting = pod.containerStatuses?.[0]?.state.waiting
        if (waiting !== undefined && /Image/.test(waiting.reason))
          throw new WorkerLostError(`${waiting.reason}: ${waiting.message}`, { isRetryable: false })
      }
      await sleep(LOOK_MS)
    }
    throw new WorkerLostError(`The Job ${name} is not watched any more.`)
  }

  async #remove(place: string): Promise<void> {
    try {
      await this.#options.cluster.request('DELETE', place)
    } catch (error) {
      if (!/: 404:/.test((error as Error).message)) throw error
    }
  }
}

export function indexOf({ metadata }: KubernetesPod): number {
  return Number(metadata.annotations['batch.kubernetes.io/job-completion-index'])
}

function lossOf(pod: KubernetesPod | undefined): string {
  const ended = pod?.status.containerStatuses?.[0]?.state.terminated
  return ended === undefined ? 'it has no pod' : `${ended.reason}, exit code ${ended.exitCode}`
}
