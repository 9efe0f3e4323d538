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
import { Signer } from './signer.ts'

/** The answer of a function may come this much later than its time limit. */
const ANSWER_GRACE_MS = 30_000

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
  #open:
    | Promise<{ readonly connections: Connections; readonly signer: Signer; readonly host: string }>
    | undefined

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
    type: 'RequestResponse' | 'Event',
    timeoutMs: number,
  ): Promise<HttpAnswer> {
    this.#open ??= this.#connect()
    const { connections, signer, host } = await this.#open
    const path = `/2015-03-31/functions/${functionName}/invocations`
    const headers = signer.sign(
      {
        method: 'POST',
        path,
        headers: {
          'content-type': 'application/json',
          host,
          'x-amz-invocation-type': type,
          ...(type === 'Event' ? {} : { 'x-amz-log-type': 'Tail' }),
        },
        body: payload,
      },
      await this.#clients.keys(),
      new Date(),
    )
    let answer: HttpAnswer
    try {
      answer = await connections.post({ path, headers, body: payload, timeoutMs, signal })
    } catch (error) {
      throw brokenConnection(error, functionName)
    }
    if (answer.status < 300) return answer
    if (isExpired(answer)) await this.#clients.keys({ refresh: true }).catch(() => {})
    throw refusal(answer, functionName)
  }

  async #connect() {
    const [region, endpoint] = await Promise.all([this.#clients.region(), this.#clients.endpoint()])
    return {
      connections: new Connections(new URL(endpoint.origin), this.#mostConnections()),
      signer: new Signer(region, 'lambda'),
      host: endpoint.host,
    }
  }
}
