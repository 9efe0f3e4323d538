import { request as httpsRequest } from 'node:https'

/** What the administrator asks of an API server. */
export interface KubernetesRequests {
  /**
   * A request; `body` is sent as JSON, and text as YAML. Resolves to the parsed answer, rejects with its
   * status and text where it is a refusal.
   */
  request<T = unknown>(method: string, path: string, body?: unknown): Promise<T>
  /**
   * Gets an answer that comes bit by bit: a watch, or a log that is followed. Resolves at its end and when `signal` ends it; rejects with
   * status and text where it is a refusal.
   */
  follow(
    path: string,
    options: { readonly onText: (text: string) => void; readonly signal?: AbortSignal },
  ): Promise<void>
}

export interface KubernetesServer {
  readonly port: number
  /** Its own, in PEM. */
  readonly certificate: string
  readonly token: string
}

/** Requests to a server of the loopback. */
export function requestsOf({ port, certificate, token }: KubernetesServer): KubernetesRequests {
  const send = (
    { method, path, body, signal }: Sent,
    onText: (text: string) => void,
  ): Promise<{ readonly isJson: boolean }> =>
    new Promise((resolve, reject) => {
      const type = typeof body === 'string' ? 'application/yaml' : typeOf(method)
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
      const sent = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          ca: certificate,
          signal,
          headers: {
            authorization: `Bearer ${token}`,
            // Node sends the length of what is posted by itself, but not of what goes with a DELETE
            ...(text === undefined
              ? {}
              : { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
          },
        },
        answer => {
          const { statusCode = 0, headers } = answer
          const isRefusal = statusCode >= 300
          let refusal = ''
          answer.setEncoding('utf8')
          answer.on('data', (text: string) => {
            if (isRefusal) refusal += text
            else onText(text)
          })
          answer.once('error', reject)
          answer.once('end', () => {
            if (isRefusal) reject(new Error(`${method} ${path}: ${statusCode}: ${refusal}`))
            else resolve({ isJson: /json/.test(headers['content-type'] ?? '') })
          })
        },
      )
      sent.once('error', reject)
      sent.end(text)
    })
  return {
    async request<T>(method: string, path: string, body?: unknown): Promise<T> {
      let text = ''
      const { isJson } = await send({ method, path, body }, part => {
        text += part
      })
      return (isJson ? JSON.parse(text) : text) as T
    },
    async follow(path, { onText, signal }) {
      try {
        await send({ method: 'GET', path, signal }, onText)
      } catch (error) {
        if (signal?.aborted !== true) throw error
      }
    },
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

function typeOf(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}
