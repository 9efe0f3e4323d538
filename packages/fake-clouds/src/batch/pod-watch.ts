import type { ContainerEnd } from '../knative/containers/containers.ts'
import type { KubernetesApi } from '../real-parts/kubernetes.ts'

export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly status: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
    readonly containerStatuses?: readonly { readonly state: ContainerState }[]
  }
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: object
  readonly terminated?: { readonly exitCode: number; readonly reason?: string }
}

interface PodEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: Pod
}

/** As long as tests take at the most. */
const WATCH_S = 86_400
/** Why a container does not begin, where it is for its image. The kubelet tells of the first failure, then of its waiting. */
const PULL_FAILURE = /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)$/
const KILLED: ContainerEnd = { exitCode: 137, signal: 9, reason: 'Error' }
/** Of shells: there is no such program. */
const NOT_STARTED: ContainerEnd = { exitCode: 127, reason: 'Error' }

/** What the API server tells of pods with a label, whose value they are known by. */
export class PodWatch {
  readonly #label: string
  readonly #pods = new Map<string, Pod | 'gone'>()
  readonly #closing = new AbortController()
  readonly #watching: Promise<void>
  readonly #listeners = new Set<() => void>()
  #failure: Error | undefined

  constructor(api: KubernetesApi, pods: string, label: string) {
    this.#label = label
    let rest = ''
    this.#watching = api
      .follow(`${pods}?watch=true&timeoutSeconds=${WATCH_S}&labelSelector=${label}`, {
        signal: this.#closing.signal,
        onText: text => {
          const lines = `${rest}${text}`.split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) this.#saw(JSON.parse(line) as PodEvent)
        },
      })
      .then(
        () => this.#ended(new Error('The watch of pods has ended.')),
        error => this.#ended(error),
      )
  }

  /**
   * Resolves to the first thing but undefined that `read` makes of what is known of a pod. Rejects with what `read` throws, and when
   * pods are not watched any more. A pod that is gone without a word of its end was killed.
   */
  async until<T>(name: string, read: (pod: Pod) => T | undefined): Promise<T> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const pod = this.#pods.get(name)
      const found = pod === undefined ? undefined : read(pod === 'gone' ? GONE : pod)
      if (found !== undefined) return found
      await new Promise<void>(resolve => this.#listeners.add(resolve))
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#watching
  }

  #saw({ type, object }: PodEvent): void {
    const name = object.metadata?.labels?.[this.#label]
    if (name === undefined) return
    const isOver = endOf(object) !== undefined
    this.#pods.set(name, type === 'DELETED' && !isOver ? 'gone' : object)
    this.#wake()
  }

  #ended(failure: Error): void {
    this.#failure = failure
    this.#wake()
  }

  #wake(): void {
    const all = [...this.#listeners]
    this.#listeners.clear()
    for (const one of all) one()
  }
}

const GONE: Pod = { metadata: { name: '', uid: '' }, status: { phase: 'Failed' } }

/** Why its image cannot be had, in the words of the kubelet; undefined when that is not known. */
export function pullFailureOf({ status }: Pod): string | undefined {
  const { reason = '', message } = status.containerStatuses?.[0]?.state.waiting ?? {}
  return PULL_FAILURE.test(reason) ? (message ?? reason) : undefined
}

/** How its container has ended; undefined when it has not. */
export function endOf({ status }: Pod): ContainerEnd | undefined {
  const ended = status.containerStatuses?.[0]?.state.terminated
  if (ended === undefined) return status.phase === 'Failed' ? KILLED : undefined
  const { exitCode, reason } = ended
  if (reason === 'StartError' || reason === 'ContainerCannotRun') return NOT_STARTED
  return {
    exitCode,
    reason: reason === 'OOMKilled' ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error',
    ...(exitCode > 128 ? { signal: exitCode - 128 } : {}),
  }
}
