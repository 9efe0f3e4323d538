import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ObjectStore } from '../api/object-store.ts'
import type { ContainerRuntime } from '../containers/containers.ts'
import type { KnativeFault } from '../faults.ts'
import type { KnativeCluster, KnativeTiming } from '../options.ts'
import { Pod } from './pod.ts'
import { environmentOf, pullLoginOf, type RevisionTemplate } from './template.ts'

export interface RevisionOptions {
  readonly name: string
  readonly service: string
  readonly namespace: string
  readonly template: RevisionTemplate
  readonly pods: ObjectStore
  readonly secrets: ObjectStore
  readonly runtime: ContainerRuntime
  readonly cluster: KnativeCluster
  readonly timing: KnativeTiming
  /** Why no pod of so much memory may be made now, in the words of the API server; undefined when one may. */
  readonly refusePod: (memoryMiB: number) => string | undefined
  /** Something of its pods has changed. */
  readonly onChange: () => void
}

export interface Trouble {
  readonly reason: string
  readonly message: string
}

const SWEEP_MS = 250

/** A revision with its pods: the autoscaler, the activator that holds requests, and the queue before each worker. */
export class Revision {
  readonly name: string
  readonly #options: RevisionOptions
  readonly #pods = new Set<Pod>()
  readonly #waiting: ((pod: Pod) => void)[] = []
  readonly #sweeper: NodeJS.Timeout
  #starting = 0
  #underWay = 0
  #idleSinceMs = performance.now()
  #wasReady = false
  #refusal: string | undefined
  #isRetired = false
  /** Everything that pods which are gone wrote. */
  #oldLogs = ''

  constructor(options: RevisionOptions) {
    this.name = options.name
    this.#options = options
    this.#scaleTo(Math.max(1, options.template.minScale))
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeper.unref()
  }

  /** A worker has listened: it takes requests from then on, also when it is scaled to zero. */
  get isReady(): boolean {
    return this.#wasReady
  }

  get podCount(): number {
    return this.#pods.size
  }

  get memoryMiB(): number {
    return this.#pods.size * this.#options.template.memoryMiB
  }

  /** What keeps it from becoming ready. */
  get trouble(): Trouble | undefined {
    if (this.#wasReady) return undefined
    if (this.#refusal !== undefined && this.#pods.size === 0)
      return { reason: 'FailedCreate', message: this.#refusal }
    const stuck = [...this.#pods].map(pod => pod.stuck).find(one => one !== undefined)
    return stuck === undefined ? undefined : { reason: stuck.reason, message: stuck.message ?? '' }
  }

  get logs(): string {
    return [this.#oldLogs, ...[...this.#pods].map(pod => pod.everything)].join('\n')
  }

  logOf(podName: string, query: URLSearchParams): string {
    return [...this.#pods].find(({ name }) => name === podName)?.logText(query) ?? ''
  }

  /** Gives a request to a worker, and its answer back, with what a fault does to it. */
  async serve(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    fault: KnativeFault | undefined,
  ): Promise<void> {
    const { template, cluster } = this.#options
    if (this.#waiting.length >= cluster.queueDepth) {
      refuse(response, 503, 'pending request queue full')
      return
    }
    this.#underWay++
    const endsMs = performance.now() + template.timeoutMs
    const pod = await this.#acquire(template.timeoutMs, response)
    try {
      if (pod === undefined) refuse(response, 504, 'activator request timeout')
      else if (!response.destroyed) {
        if (fault?.kind === 'killContainer') setTimeout(() => void pod.kill(), fault.afterMs)
        if (fault?.kind === 'removePod') setTimeout(() => void this.#end(pod, 0), fault.afterMs)
        await forward({
          request,
          body,
          response,
          pod,
          leftMs: endsMs - performance.now(),
          isLost: fault?.kind === 'loseReply',
        })
      }
    } finally {
      this.#underWay--
      this.#idleSinceMs = performance.now()
      if (pod !== undefined) this.#release(pod)
    }
  }

  /** Ends its pods in order. */
  async retire(): Promise<void> {
    this.#isRetired = true
    clearInterval(this.#sweeper)
    await Promise.all([...this.#pods].map(pod => this.#end(pod)))
  }

  /** Undefined when none is free in time; what its client gives up is given none. */
  #acquire(timeoutMs: number, response: ServerResponse): Promise<Pod | undefined> {
    const free = this.#freePod()
    if (free !== undefined) {
      free.busy++
      return Promise.resolve(free)
    }
    const { concurrency } = this.#options.template
    this.#scaleTo(concurrency === 0 ? 1 : Math.ceil(this.#underWay / concurrency))
    return new Promise(resolve => {
      const leave = (pod: Pod | undefined) => {
        clearTimeout(timer)
        response.off('close', onClose)
        const at = this.#waiting.indexOf(take)
        if (at >= 0) this.#waiting.splice(at, 1)
        resolve(pod)
      }
      const take = (pod: Pod) => leave(pod)
      const onClose = () => leave(undefined)
      const timer = setTimeout(() => leave(undefined), timeoutMs)
      response.once('close', onClose)
      this.#waiting.push(take)
    })
  }

  #freePod(): Pod | undefined {
    const { concurrency } = this.#options.template
    return [...this.#pods].find(pod => pod.isReady && (concurrency === 0 || pod.busy < concurrency))
  }

  #release(pod: Pod): void {
    pod.busy--
    this.#serveWaiting()
  }

  #serveWaiting(): void {
    while (this.#waiting.length > 0) {
      const pod = this.#freePod()
      if (pod === undefined) return
      pod.busy++
      this.#waiting[0]?.(pod)
    }
  }

  #scaleTo(wanted: number): void {
    const { template, cluster, timing, namespace, service, pods, secrets, runtime, refusePod } = this.#options
    const most = Math.min(wanted, template.maxScale, cluster.mostPods)
    while (!this.#isRetired && this.#pods.size + this.#starting < most) {
      this.#refusal = refusePod(template.memoryMiB)
      if (this.#refusal !== undefined) return
      this.#starting++
      setTimeout(() => {
        this.#starting--
        if (this.#isRetired) return
        const pod = new Pod({
          namespace,
          revision: this.name,
          labels: {
            ...template.labels,
            'serving.knative.dev/service': service,
            'serving.knative.dev/configuration': service,
            'serving.knative.dev/revision': this.name,
          },
          spec: {
            image: template.image,
            memoryBytes: template.memoryMiB * 1024 * 1024,
            cpuMillis: template.cpuMillis,
            env: {
              ...environmentOf(template, secrets, namespace),
              K_SERVICE: service,
              K_CONFIGURATION: service,
              K_REVISION: this.name,
            },
          },
          podSpec: template.podSpec,
          login: pullLoginOf(template, secrets, namespace),
          store: pods,
          runtime,
          graceMs: timing.graceMs,
          onChange: changed => this.#podChanged(changed),
        })
        this.#pods.add(pod)
      }, timing.scaleUpMs)
    }
  }

  #podChanged(pod: Pod): void {
    if (pod.isReady) this.#wasReady = true
    this.#serveWaiting()
    this.#options.onChange()
  }

  async #end(pod: Pod, graceMs?: number): Promise<void> {
    await pod.end(graceMs)
    this.#oldLogs += `\n${pod.everything}`
    this.#pods.delete(pod)
    if (this.#waiting.length > 0) this.#scaleTo(1)
  }

  /** Scales down what has not been needed for a while. */
  #sweep(): void {
    const { timing, template, onChange } = this.#options
    if (!this.#wasReady) {
      // what a quota refused is tried again, as a ReplicaSet does
      if (this.#pods.size + this.#starting === 0) this.#scaleTo(1)
      onChange()
    }
    if (this.#underWay > 0 || performance.now() - this.#idleSinceMs < timing.scaleDownMs || !this.#wasReady)
      return
    const spare = [...this.#pods].slice(template.minScale)
    for (const pod of spare) if (pod.isReady) void this.#end(pod)
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}

/** The queue before a worker: passes a request on, and cuts it when its time is up. */
function forward({
  request,
  body,
  response,
  pod,
  leftMs,
  isLost,
}: {
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly response: ServerResponse
  readonly pod: Pod
  readonly leftMs: number
  readonly isLost: boolean
}): Promise<void> {
  return new Promise(resolve => {
    const { 'content-length': _, 'transfer-encoding': __, ...headers } = request.headers
    const passed = httpRequest({
      host: '127.0.0.1',
      port: pod.port,
      method: request.method,
      path: request.url,
      headers: { ...headers, 'content-length': body.length },
      agent: pod.agent,
    })
    const done = () => {
      clearTimeout(timer)
      response.off('close', onClose)
      resolve()
    }
    const onClose = () => passed.destroy()
    const timer = setTimeout(() => {
      if (response.headersSent) response.destroy()
      else refuse(response, 504, 'request timeout')
      passed.destroy()
    }, leftMs)
    response.once('close', onClose)
    passed.once('response', answer => {
      if (isLost) {
        answer.resume()
        answer.once('end', () => response.destroy())
        answer.once('close', done)
        return
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('data', chunk => response.write(chunk))
      answer.once('end', () => response.end())
      answer.once('error', () => response.destroy())
      answer.once('close', () => {
        if (!answer.complete) response.destroy()
        done()
      })
    })
    passed.once('error', error => {
      refuse(response, 502, `dial tcp 127.0.0.1:${pod.port}: ${error.message}`)
      done()
    })
    passed.end(body)
  })
}
