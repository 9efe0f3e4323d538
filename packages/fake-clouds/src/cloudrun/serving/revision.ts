import type { ServerResponse } from 'node:http'
import type { ContainerEnd, ContainerRuntime } from '../../knative/containers/containers.ts'
import type { KnativeFault } from '../../knative/faults.ts'
import type { CloudRunTiming } from '../options.ts'
import { type ForwardedRequest, forward, refuse } from './forward.ts'
import { Instance, type LogStream } from './instance.ts'
import type { RevisionTemplate } from './template.ts'

export interface RevisionOptions {
  readonly name: string
  readonly template: RevisionTemplate
  readonly env: Readonly<Record<string, string>>
  readonly runtime: ContainerRuntime
  readonly timing: CloudRunTiming
  /** Whether this machine has room for one more instance; makes some where others are idle. */
  readonly hasRoom: () => boolean
  readonly onRetired: () => void
  readonly onLine: (stream: LogStream, instanceId: string, text: string) => void
}

const SWEEP_MS = 200
const NO_INSTANCE = 'The request was aborted because there was no available instance.'

/** A revision with its instances: the autoscaler, and the requests that wait for it. */
export class Revision {
  readonly name: string
  readonly #options: RevisionOptions
  readonly #instances = new Set<Instance>()
  readonly #waiting: ((instance: Instance) => void)[] = []
  readonly #sweeper: NodeJS.Timeout
  #starting = 0
  #underWay = 0
  #idleSinceMs = performance.now()
  #isRetired = false

  constructor(options: RevisionOptions) {
    this.name = options.name
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeper.unref()
  }

  get instanceCount(): number {
    return [...this.#instances].filter(one => !one.isEnding).length + this.#starting
  }

  /** Ends an instance that has nothing to do. Returns whether there was one. */
  endIdle(): boolean {
    if (this.#waiting.length > 0) return false
    const idle = [...this.#instances].find(one => one.isReady && one.busy === 0)
    void idle?.end()
    return idle !== undefined
  }

  /** Begins a first instance, as the platform does for each revision. Resolves with how it ended before it took requests. */
  async begin(): Promise<ContainerEnd | undefined> {
    const instance = this.#add()
    return instance.started
  }

  /** Gives a request to an instance, and its answer back, with what a fault does to it. */
  async serve(
    request: ForwardedRequest,
    response: ServerResponse,
    fault: KnativeFault | undefined,
  ): Promise<void> {
    const { template, timing } = this.#options
    this.#underWay++
    const endsMs = performance.now() + template.timeoutMs
    const instance = await this.#acquire(Math.min(template.timeoutMs, timing.pendingMs), response)
    try {
      if (instance === undefined) refuse(response, 429, NO_INSTANCE)
      else if (!response.destroyed) {
        if (fault?.kind === 'killContainer') setTimeout(() => void instance.kill(), fault.afterMs)
        const leftMs = endsMs - performance.now()
        await forward({ request, response, instance, leftMs, isLost: fault?.kind === 'loseReply' })
      }
    } finally {
      this.#underWay--
      this.#idleSinceMs = performance.now()
      if (instance !== undefined) {
        instance.busy--
        this.#serveWaiting()
      }
    }
  }

  /** Ends its instances in order. */
  async retire(): Promise<void> {
    this.#isRetired = true
    this.#options.onRetired()
    clearInterval(this.#sweeper)
    await Promise.all([...this.#instances].map(one => one.end()))
  }

  /** Undefined when none is free in time; what its client gives up is given none. */
  #acquire(timeoutMs: number, response: ServerResponse): Promise<Instance | undefined> {
    const free = this.#free()
    if (free !== undefined) {
      free.busy++
      return Promise.resolve(free)
    }
    this.#scale()
    return new Promise(resolve => {
      const leave = (instance: Instance | undefined) => {
        clearTimeout(timer)
        response.off('close', onClose)
        const at = this.#waiting.indexOf(take)
        if (at >= 0) this.#waiting.splice(at, 1)
        resolve(instance)
      }
      const take = (instance: Instance) => leave(instance)
      const onClose = () => leave(undefined)
      const timer = setTimeout(() => leave(undefined), timeoutMs)
      response.once('close', onClose)
      this.#waiting.push(take)
    })
  }

  #free(): Instance | undefined {
    const { concurrency } = this.#options.template
    return [...this.#instances].find(one => one.isReady && one.busy < concurrency)
  }

  #serveWaiting(): void {
    while (this.#waiting.length > 0) {
      const instance = this.#free()
      if (instance === undefined) return
      instance.busy++
      this.#waiting[0]?.(instance)
    }
  }

  /** As many as the requests need, as far as there is room. */
  #scale(): void {
    const { template, timing, hasRoom } = this.#options
    const wanted = Math.min(Math.ceil(this.#underWay / template.concurrency), template.maxInstances)
    const alive = [...this.#instances].filter(one => !one.isEnding).length
    for (let more = wanted - alive - this.#starting; more > 0 && !this.#isRetired && hasRoom(); more--) {
      this.#starting++
      setTimeout(() => {
        this.#starting--
        if (!this.#isRetired) this.#add()
      }, timing.scaleUpMs)
    }
  }

  #add(): Instance {
    const { template, env, runtime, timing, onLine } = this.#options
    const instance = new Instance({
      spec: {
        image: template.image,
        env,
        memoryBytes: template.memoryMiB * 1024 * 1024,
        cpuMillis: template.cpuMillis,
      },
      runtime,
      graceMs: timing.graceMs,
      onLine,
      onChange: () => this.#serveWaiting(),
    })
    this.#instances.add(instance)
    void instance.ended.then(() => {
      this.#instances.delete(instance)
      if (this.#waiting.length > 0) this.#scale()
    })
    return instance
  }

  /** Ends what has not been needed for a while; begins what there is room for again. */
  #sweep(): void {
    const { timing, template } = this.#options
    if (this.#waiting.length > 0) this.#scale()
    if (this.#underWay > 0 || performance.now() - this.#idleSinceMs < timing.scaleDownMs) return
    for (const spare of [...this.#instances].slice(template.minInstances)) if (spare.isReady) void spare.end()
  }
}
