import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import type {
  Container,
  ContainerEnd,
  ContainerRuntime,
  ContainerSpec,
} from '../../knative/containers/containers.ts'

/** From where a line of an instance comes. */
export type LogStream = 'stdout' | 'varlog%2Fsystem'

export interface InstanceOptions {
  readonly spec: ContainerSpec
  readonly runtime: ContainerRuntime
  readonly graceMs: number
  readonly onChange: () => void
  readonly onLine: (stream: LogStream, instanceId: string, text: string) => void
}

/** One container of a revision. When it has ended it is gone: another one comes when it is needed. */
export class Instance {
  readonly id = randomBytes(48).toString('hex')
  readonly agent = new Agent({ keepAlive: true })
  /** Requests that it holds. */
  busy = 0
  /** Resolves when it takes requests, with undefined; or with how it ended before. */
  readonly started: Promise<ContainerEnd | undefined>
  readonly ended: Promise<ContainerEnd>
  readonly #options: InstanceOptions
  #container: Container | undefined
  #isReady = false
  #isEnding = false

  constructor(options: InstanceOptions) {
    this.#options = options
    const starting = options.runtime.start(
      // what the platform's containers see as the name of their machine
      { ...options.spec, env: { ...options.spec.env, HOSTNAME: 'localhost' } },
      text => this.#write(text),
    )
    this.ended = starting.then(container => container.ended)
    this.started = starting.then(async container => {
      this.#container = container
      if (this.#isEnding) void container.kill()
      const isListening = await container.listening.then(
        () => true,
        () => false,
      )
      if (!isListening) return container.ended
      this.#isReady = true
      options.onChange()
      return undefined
    })
    void this.ended.then(end => this.#gone(end))
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isEnding
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  get port(): number {
    return this.#container?.port ?? 0
  }

  async kill(): Promise<void> {
    await this.#container?.kill()
  }

  /** SIGTERM, its grace, and it is gone. */
  async end(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#options.onChange()
    await this.#container?.stop(this.#options.graceMs)
  }

  #gone({ exitCode, signal, reason }: ContainerEnd): void {
    const { onLine, onChange, spec } = this.#options
    const isExpected = this.#isEnding
    this.#isReady = false
    this.#isEnding = true
    this.agent.destroy()
    if (!isExpected) {
      const limit = spec.memoryBytes / 1024 / 1024
      const text =
        reason === 'OOMKilled'
          ? `Memory limit of ${limit} MiB exceeded with ${limit + 4} MiB used. Consider increasing the memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits`
          : signal === undefined
            ? `Container called exit(${exitCode}).`
            : `Container terminated on signal ${signal}.`
      onLine('varlog%2Fsystem', this.id, text)
    }
    onChange()
  }

  #write(text: string): void {
    for (const line of text.split('\n')) if (line !== '') this.#options.onLine('stdout', this.id, line)
  }
}
