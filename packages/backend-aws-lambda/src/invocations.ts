import {
  brokenConnection,
  factsOf,
  functionError,
  type InvocationFacts,
  isExpired,
  refusal,
} from './answers.ts'
import type { AwsClients } from './clients.ts'
import { Connections, type HttpAnswer } from './connections.ts'
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
  readonly payload: string
  /** Time limit of the function in milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface Reply extends InvocationFacts {
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
  readonly #heads = new Map<string, RequestHead>()
  #open: Promise<Opened> | undefined
  #opened: Opened | undefined
  #keys: { readonly keys: AwsKeys; readonly atMs: number } | undefined

  constructor(clients: AwsClients, mostConnections: () => number) {
    this.#clients = clients
    this.#mostConnections = mostConnections
  }

  /**
   * Runs a function and gives its reply. Rejects with an InvocationError, with a CallError when the worker broke, or
   * with the signal's reason.
   */
  async run(invocation: Invocation): Promise<Reply> {
    const answer = await this.#send(invocation, 'RequestResponse', invocation.timeoutMs + ANSWER_GRACE_MS)
    if (answer.headers['x-amz-function-error'] !== undefined)
      throw functionError(answer, invocation.timeoutMs)
    return { ...factsOf(answer), body: answer.body }
  }

  /** Hands a function an event to run later. Resolves when Lambda has taken it. */
  async enqueue(invocation: Invocation): Promise<Reply> {
    const answer = await this.#send(invocation, 'Event', ANSWER_GRACE_MS)
    return { ...factsOf(answer), body: answer.body }
  }

  async close(): Promise<void> {
    await this.#open?.then(
      ({ connections }) => connections.close(),
      () => {},
    )
  }

  async #send(
    { functionName, payload, signal }: Invocation,
    type: InvocationType,
    timeoutMs: number,
  ): Promise<HttpAnswer> {
    const { connections, signer, host } = this.#opened ?? (await this.#openOnce())
    const keys = this.#keysForNow() ?? (await this.#takeKeys())
    const { path, headers: unsigned } = this.#headOf(functionName, type, host)
    const headers = signer.sign({ method: 'POST', path, headers: unsigned, body: payload }, keys, new Date())
    let answer: HttpAnswer
    try {
      answer = await connections.post({ path, headers, body: payload, timeoutMs, signal })
    } catch (error) {
      throw brokenConnection(error, functionName)
    }
    if (answer.status < 300) return answer
    if (isExpired(answer)) {
      this.#keys = undefined
      await this.#clients.keys({ refresh: true }).catch(() => {})
    }
    throw refusal(answer, functionName)
  }

  /** All requests to one function have the same path and headers, as the same objects. */
  #headOf(functionName: string, type: InvocationType, host: string): RequestHead {
    const key = `${type} ${functionName}`
    let head = this.#heads.get(key)
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
      this.#heads.set(key, head)
    }
    return head
  }

  #keysForNow(): AwsKeys | undefined {
    const kept = this.#keys
    return kept !== undefined && performance.now() - kept.atMs < KEYS_KEPT_MS ? kept.keys : undefined
  }

  async #takeKeys(): Promise<AwsKeys> {
    const keys = await this.#clients.keys()
    this.#keys = { keys, atMs: performance.now() }
    return keys
  }

  async #openOnce(): Promise<Opened> {
    this.#open ??= this.#connect()
    this.#opened = await this.#open
    return this.#opened
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
