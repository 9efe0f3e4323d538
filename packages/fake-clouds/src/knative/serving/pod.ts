import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import type { ObjectStore } from '../api/object-store.ts'
import {
  type Container,
  type ContainerEnd,
  type ContainerRuntime,
  type ContainerSpec,
  PullError,
  type PullLogin,
} from '../containers/containers.ts'
import { WORKER_CONTAINER } from './template.ts'

/** Lines of a container, with the times at which they were written. */
interface LogLine {
  readonly at: string
  readonly text: string
}

export interface PodOptions {
  readonly namespace: string
  readonly revision: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: ContainerSpec
  /** As the API has it. */
  readonly podSpec: Readonly<Record<string, unknown>>
  readonly login: PullLogin | undefined
  readonly store: ObjectStore
  readonly runtime: ContainerRuntime
  readonly graceMs: number
  /** It takes requests now, or does not any more. */
  readonly onChange: (pod: Pod) => void
}

/** How often an image is asked for before the kubelet says that it backs off. */
const PULLS_BEFORE_BACKOFF = 1
const PULL_AGAIN_MS = 300
const CRASHES_BEFORE_BACKOFF = 2
/** Names that Kubernetes generates are cut, so that five random characters make 63. */
const NAME_BASE_CHARACTERS = 58

/** A pod with one worker: pulls its image, starts its container, and starts it again when it ends. */
export class Pod {
  readonly name: string
  readonly #options: PodOptions
  readonly agent = new Agent({ keepAlive: true })
  #container: Container | undefined
  #isReady = false
  #isEnding = false
  #restarts = 0
  #lastEnd: (ContainerEnd & { readonly finishedAt: string }) | undefined
  #waiting: { readonly reason: string; readonly message?: string } | undefined = {
    reason: 'ContainerCreating',
  }
  #log: LogLine[] = []
  #previousLog: LogLine[] = []
  /** Requests that it holds. */
  busy = 0

  constructor(options: PodOptions) {
    this.#options = options
    const { namespace, revision, labels, store, podSpec } = options
    this.name = `${`${revision}-deployment-`.slice(0, NAME_BASE_CHARACTERS)}${randomBytes(3).toString('hex').slice(1)}`
    store.create(namespace, {
      metadata: { name: this.name, labels: { ...labels } },
      spec: podSpec,
    })
    this.#tell()
    void this.#live()
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isEnding
  }

  get port(): number {
    return this.#container?.port ?? 0
  }

  /** Why it does not start; undefined while that may still pass. */
  get stuck(): { readonly reason: string; readonly message?: string } | undefined {
    const { reason = '' } = this.#waiting ?? {}
    return /BackOff$/.test(reason) ? this.#waiting : undefined
  }

  logText(query: URLSearchParams): string {
    const lines = query.get('previous') === 'true' ? this.#previousLog : this.#log
    const tail = query.get('tailLines')
    const hasTimes = query.get('timestamps') === 'true'
    return lines
      .slice(tail === null ? 0 : -Number(tail))
      .map(({ at, text }) => `${hasTimes ? `${at} ` : ''}${text}\n`)
      .join('')
  }

  /** Everything that it ever wrote. */
  get everything(): string {
    return [...this.#previousLog, ...this.#log].map(({ text }) => text).join('\n')
  }

  async kill(): Promise<void> {
    await this.#container?.kill()
  }

  /** Ends it in order: SIGTERM, its grace, and it is gone. `graceMs` 0: at once. */
  async end(graceMs = this.#options.graceMs): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    const { store, namespace } = this.#options
    if (store.find(namespace, this.name) !== undefined) store.markDeleted(namespace, this.name)
    this.#options.onChange(this)
    if (graceMs === 0) await this.#container?.kill()
    else await this.#container?.stop(graceMs)
    this.agent.destroy()
    store.remove(namespace, this.name)
  }

  async #live(): Promise<void> {
    const { runtime, spec, login, onChange } = this.#options
    for (let pulls = 1; !this.#isEnding; pulls++) {
      try {
        await runtime.pull(spec.image, login)
        break
      } catch (error) {
        if (!(error instanceof PullError)) throw error
        const isBackOff = pulls > PULLS_BEFORE_BACKOFF
        this.#waiting = isBackOff
          ? {
              reason: 'ImagePullBackOff',
              message: `Back-off pulling image "${spec.image}": ErrImagePull: ${error.message}`,
            }
          : { reason: 'ErrImagePull', message: error.message }
        this.#tell()
        onChange(this)
        await new Promise(done => setTimeout(done, PULL_AGAIN_MS))
      }
    }
    while (!this.#isEnding) {
      const container = await runtime.start({ ...spec, env: { ...spec.env, HOSTNAME: this.name } }, text =>
        this.#write(text),
      )
      this.#container = container
      this.#waiting = undefined
      if (this.#isEnding) void container.kill()
      await container.listening.then(
        () => {
          this.#isReady = true
        },
        () => {},
      )
      this.#tell()
      onChange(this)
      const end = await container.ended
      this.#isReady = false
      this.agent.destroy()
      this.#lastEnd = { ...end, finishedAt: new Date().toISOString() }
      if (this.#isEnding) return
      this.#restarts++
      this.#waiting =
        this.#restarts > CRASHES_BEFORE_BACKOFF
          ? {
              reason: 'CrashLoopBackOff',
              message: `back-off restarting failed container=${WORKER_CONTAINER} pod=${this.name}`,
            }
          : { reason: 'ContainerCreating' }
      this.#tell()
      onChange(this)
      this.#previousLog = this.#log
      this.#log = []
      if (this.#restarts > CRASHES_BEFORE_BACKOFF) await new Promise(done => setTimeout(done, PULL_AGAIN_MS))
    }
  }

  #write(text: string): void {
    const at = new Date().toISOString()
    for (const line of text.split('\n')) if (line !== '') this.#log.push({ at, text: line })
  }

  #tell(): void {
    const { store, namespace } = this.#options
    const lastState =
      this.#lastEnd === undefined
        ? {}
        : {
            terminated: {
              exitCode: this.#lastEnd.exitCode,
              ...(this.#lastEnd.signal === undefined ? {} : { signal: this.#lastEnd.signal }),
              reason: this.#lastEnd.reason,
              finishedAt: this.#lastEnd.finishedAt,
            },
          }
    store.setStatus(namespace, this.name, {
      phase: this.#waiting === undefined || this.#restarts > 0 ? 'Running' : 'Pending',
      conditions: [{ type: 'Ready', status: this.#isReady ? 'True' : 'False' }],
      containerStatuses: [
        {
          name: WORKER_CONTAINER,
          ready: this.#isReady,
          restartCount: this.#restarts,
          image: this.#options.spec.image,
          imageID: '',
          state: this.#waiting === undefined ? { running: {} } : { waiting: this.#waiting },
          lastState,
        },
      ],
    })
  }
}
