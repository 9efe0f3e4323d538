import { randomBytes } from 'node:crypto'
import {
  type Container,
  type ContainerRuntime,
  type ContainerSpec,
  PullError,
  type PullLogin,
} from '../knative/containers/containers.ts'
import { listens } from '../knative/containers/process-containers.ts'
import type { KubernetesCluster } from '../real-parts/kubernetes-cluster.ts'
import { freePort } from '../real-parts/server-process.ts'
import { endOf, type Pod, PodWatch, pullFailureOf } from './pod-watch.ts'

const API = '/api/v1/namespaces/default'
const JOBS = '/apis/batch/v1/namespaces/default/jobs'
const LABEL = 'lithops-stand-in'
/** A pod asks for so little that the node takes it: who calls says how many run at once. */
const REQUESTS = { cpu: '10m', memory: '16Mi' }
/** No image has it: its container fails as soon as its image is there. */
const NO_PROGRAM = '/no-program'
const KILL_AGAIN_MS = 100

/**
 * Each container is a Job of Kubernetes with one pod, which the node's kubelet runs: its ends, and what is wrong with an image, are the
 * kubelet's words. Mounts are config maps. The programs are on the host's network.
 */
export class KubernetesJobs implements ContainerRuntime {
  readonly #cluster: KubernetesCluster
  readonly #watch: PodWatch
  readonly #pulled = new Map<string, Promise<void>>()
  readonly #logins = new Map<string, string>()
  readonly #running = new Set<Container>()
  readonly #removals = new Set<Promise<void>>()

  constructor(cluster: KubernetesCluster) {
    this.#cluster = cluster
    this.#watch = new PodWatch(cluster, `${API}/pods`, LABEL)
  }

  /** The kubelet pulls for pods alone: it gets one that ends before it begins. Once for each image and login. */
  pull(image: string, login: PullLogin | undefined): Promise<void> {
    const key = JSON.stringify([image, login])
    const known = this.#pulled.get(key)
    if (known !== undefined) return known
    const pulling = this.#pull(image, login)
    this.#pulled.set(key, pulling)
    pulling.catch(() => this.#pulled.delete(key))
    return pulling
  }

  async start(spec: ContainerSpec, onOutput: (text: string) => void): Promise<Container> {
    const port = await freePort()
    const name = newName()
    const mounts = Object.entries(spec.mounts ?? {}).map(([folder, data], i) => ({
      name: `${name}-${i}`,
      folder,
      data,
    }))
    for (const { name, data } of mounts)
      await this.#cluster.request('POST', `${API}/configmaps`, { metadata: { name }, data })
    const [command, ...args] = spec.command ?? []
    const started = this.#begin(name, {
      image: spec.image,
      ...(command === undefined ? {} : { command: [command], args }),
      env: Object.entries({ ...spec.env, PORT: `${port}` }).map(([key, value]) => ({ name: key, value })),
      resources: {
        requests: REQUESTS,
        limits: { cpu: `${spec.cpuMillis}m`, memory: `${spec.memoryBytes}` },
      },
      mounts,
    })
    const remove = () =>
      this.#later(
        Promise.all([
          this.#remove(`${JOBS}/${name}`),
          ...mounts.map(one => this.#remove(`${API}/configmaps/${one.name}`)),
        ]),
      )
    let pod: Pod
    try {
      pod = await started
    } catch (error) {
      remove()
      throw error
    }
    const podPath = `${API}/pods/${pod.metadata.name}`
    const logged = this.#cluster
      .follow(`${podPath}/log?follow=true`, { onText: onOutput })
      // of a pod that was removed in the meantime
      .catch(() => {})
    const ended = this.#watch.until(name, endOf).then(async end => {
      await logged
      this.#running.delete(container)
      remove()
      return end
    })
    const container: Container = {
      port,
      ended,
      listening: listens(port, ended),
      stop: async graceMs => {
        // less than a second is none
        await this.#remove(podPath, { gracePeriodSeconds: Math.max(1, Math.ceil(graceMs / 1000)) })
        await ended
      },
      kill: async () => {
        let hasEnded = false
        void ended.finally(() => {
          hasEnded = true
        })
        // nobody may end a container of a kubelet without a word but the machine that it runs on
        while (!hasEnded) {
          this.#cluster.kill(pod.metadata.uid)
          await Promise.race([ended, new Promise(done => setTimeout(done, KILL_AGAIN_MS))])
        }
      },
    }
    this.#running.add(container)
    return container
  }

  /** The cluster stays. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map(one => one.kill()))
    await Promise.all(this.#removals)
    for (const secret of this.#logins.values()) await this.#remove(`${API}/secrets/${secret}`)
    await this.#watch.close()
  }

  async #pull(image: string, login: PullLogin | undefined): Promise<void> {
    if (login !== undefined) await this.#keepLogin(image, login)
    const name = newName()
    try {
      await this.#begin(name, { image, command: [NO_PROGRAM], resources: { requests: REQUESTS } })
    } finally {
      await this.#remove(`${JOBS}/${name}`)
    }
  }

  /** Makes a Job of one pod, and resolves when its container has begun. Rejects with PullError. */
  async #begin(name: string, { mounts = [], ...container }: JobContainer): Promise<Pod> {
    const secret = this.#logins.get(container.image)
    await this.#cluster.request('POST', JOBS, {
      metadata: { name },
      spec: {
        // whether it runs again is said by those who run batches
        backoffLimit: 0,
        template: {
          metadata: { labels: { [LABEL]: name } },
          spec: {
            restartPolicy: 'Never',
            hostNetwork: true,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            ...(secret === undefined ? {} : { imagePullSecrets: [{ name: secret }] }),
            containers: [
              {
                ...container,
                name: 'instance',
                volumeMounts: mounts.map(one => ({ name: one.name, mountPath: one.folder, readOnly: true })),
              },
            ],
            volumes: mounts.map(one => ({ name: one.name, configMap: { name: one.name } })),
          },
        },
      },
    })
    return this.#watch.until(name, pod => {
      const failure = pullFailureOf(pod)
      if (failure !== undefined) throw new PullError(failure)
      const { running, terminated } = pod.status.containerStatuses?.[0]?.state ?? {}
      return running !== undefined || terminated !== undefined || pod.status.phase === 'Failed'
        ? pod
        : undefined
    })
  }

  async #keepLogin(image: string, { user, password }: PullLogin): Promise<void> {
    const name = newName()
    const auth = Buffer.from(`${user}:${password}`).toString('base64')
    const auths = { [String(image.split('/')[0])]: { username: user, password, auth } }
    await this.#cluster.request('POST', `${API}/secrets`, {
      metadata: { name },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
    })
    const before = this.#logins.get(image)
    this.#logins.set(image, name)
    if (before !== undefined) await this.#remove(`${API}/secrets/${before}`)
  }

  #later(what: Promise<unknown>): void {
    const removal = what.then(
      () => {},
      () => {},
    )
    this.#removals.add(removal)
    void removal.then(() => this.#removals.delete(removal))
  }

  /** With what belongs to it. What is not there is no error. */
  async #remove(place: string, options: object = {}): Promise<void> {
    try {
      await this.#cluster.request('DELETE', place, { propagationPolicy: 'Background', ...options })
    } catch (error) {
      if (!/: 404:/.test((error as Error).message)) throw error
    }
  }
}

interface JobContainer {
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly object[]
  readonly resources: object
  readonly mounts?: readonly {
    readonly name: string
    readonly folder: string
    readonly data: Readonly<Record<string, string>>
  }[]
}

function newName(): string {
  return `lithops-${randomBytes(6).toString('hex')}`
}
