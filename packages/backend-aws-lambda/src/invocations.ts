import type { Cancellation } from '@lithops/core/driver'
import {
  brokenConnection,
  factsOf,
  functionError,
  type InvocationFacts,
  isExpired,
  refusal,
} from './answers.ts'
import type { AwsClients } from './clients.ts'
import { Connections } from './connections.ts'
import type { HttpAnswer } from './exchange.ts'
import { type AwsKeys, Signer } from './signer.ts'

/** The answer of a function may come this much later than its time limit. */
const ANSWER_GRACE_MS = 30_000

/** The SDK is asked for credentials so often: asking costs, and it renews them minutes before they expire. */
const KEYS_KEPT_MS = 1_000

type InvocationType = 'RequestResponse' | 'Event'

interface Opened {
  readonly connections: Connections
  readonly signer: Signer
  readonly host: string
}

interface RequestHead {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Invocation {
  readonly functionName: string
  /** JSON. */
  readonly payload: Buffer
  /** Time limit of the function in milliseconds. */
  readonly timeoutMs: number
  readonly cancellation?: Cancellation | undefined
}

export interface Reply extends Pick<InvocationFacts, 'requestId' | 'billedMs'> {
  /** JSON; empty for an event. */
  readonly body: Buffer
}

/**
 * The Invoke operation, over connections of its own: one signature and one request each, sent once. The official client
 * takes several times as much time of the processor for it, and sends again by itself what it believes lost.
 */
export class Invocations {
  readonly #clients: AwsClients
  readonly #mostConnections: () => number
  readonly #heads = { RequestResponse: new Map<string, RequestHead>(), Event: new Map<string, RequestHead>() }
  #open: Promise<Opened> | undefined
  #opened: Opened | undefined
  #keys: { readonly keys: AwsKeys; readonly atMs: number } | undefined

  constructor(clients: AwsClients, mostConnections: () => number) {
    this.#clients = clients
    this.#mostConnections = mostConnections
  }

  /**
   * Runs a function and gives its reply. Rejects with an InvocationError, with a CallError when the worker broke, or
   * with the cancellation's reason.
   */
  run(invocation: Invocation): Promise<Reply> {
    return this.#send(invocation, 'RequestResponse', invocation.timeoutMs + ANSWER_GRACE_MS)
  }

  /** Hands a function an event to run later. Resolves when Lambda has taken it. */
  enqueue(invocation: Invocation): Promise<Reply> {
    return this.#send(invocation, 'Event', ANSWER_GRACE_MS)
  }

  async close(): Promise<void> {
    await this.#open?.then(
      ({ connections }) => connections.close(),
      () => {},
    )
  }

  /** In the fewest steps where all is there, since there are thousands of these in a second. */
  #send(invocation: Invocation, type: InvocationType, timeoutMs: number): Promise<Reply> {
    const opened = this.#opened
    const keys = this.#keysForNow()
    if (opened === undefined || keys === undefined) return this.#sendLater(invocation, type, timeoutMs)
    const { connections, signer, host } = opened
    const { functionName, payload, cancellation } = invocation
    const { path, headers: unsigned } = this.#headOf(functionName, type, host)
    const headers = signer.sign({ method: 'POST', path, headers: unsigned, body: payload }, keys, Date.now())
    return connections.post({ path, headers, body: payload, timeoutMs, cancellation }).then(
      answer => this.#replyIn(answer, invocation),
      error => {
        throw brokenConnection(error, functionName)
      },
    )
  }

  async #sendLater(invocation: Invocation, type: InvocationType, timeoutMs: number): Promise<Reply> {
    await this.#openOnce()
    await this.#takeKeys()
    return this.#send(invocation, type, timeoutMs)
  }

  #replyIn(answer: HttpAnswer, { functionName, timeoutMs }: Invocation): Reply | Promise<never> {
    if (answer.status >= 300) return this.#refused(answer, functionName)
    if (answer.headers['x-amz-function-error'] !== undefined) throw functionError(answer, timeoutMs)
    const { requestId, billedMs } = factsOf(answer)
    return { requestId, billedMs, body: answer.body }
  }

  async #refused(answer: HttpAnswer, functionName: string): Promise<never> {
    if (isExpired(answer)) {
      this.#keys = undefined
      await this.#clients.keys({ refresh: true }).catch(() => {})
    }
    throw refusal(answer, functionName)
  }

  /** All requests to one function have the same path and headers, as the same objects. */
  #headOf(functionName: string, type: InvocationType, host: string): RequestHead {
    const heads = this.#heads[type]
    let head = heads.get(functionName)
    if (head === undefined) {
      head = {
        path: `/2015-03-31/functions/${functionName}/invocations`,
        headers: {
          'content-type': 'application/json',
          host,
          'x-amz-invocation-type': type,
          ...(type === 'Event' ? {} : { 'x-amz-log-type': 'Tail' }),
        },
      }
      heads.set(functionName, head)
    }
    return head
  }

  #keysForNow(): AwsKeys | undefined {
    const kept = this.#keys
    return kept !== undefined && performance.now() - kept.atMs < KEYS_KEPT_MS ? kept.keys : undefined
  }

  async #takeKeys(): Promise<void> {
    this.#keys = { keys: await this.#clients.keys(), atMs: performance.now() }
  }

  async #openOnce(): Promise<void> {
    this.#open ??= this.#connect()
    this.#opened = await this.#open
  }

  async #connect(): Promise<Opened> {
    const [region, endpoint] = await Promise.all([this.#clients.region(), this.#clients.endpoint()])
    return {
      connections: new Connections(new URL(endpoint.origin), this.#mostConnections()),
      signer: new Signer(region, 'lambda'),
      host: endpoint.host,
    }
  }
}
