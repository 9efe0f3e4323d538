import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { HttpAgents } from '@lithops/core/driver'
import type { gaxios } from 'google-auth-library'

export type Adapter = NonNullable<gaxios.GaxiosOptions['adapter']>

/**
 * Sends the requests of Google's library by Node's own client. Its usual one gives no error when a connection breaks in
 * the middle of an answer, and keeps the connection of an answer that nobody reads to the end.
 */
export function nodeAdapter(agents: HttpAgents, addressOf: (url: string) => string = url => url): Adapter {
  return async options => {
    const url = addressOf(String(options.url))
    const isSecure = url.startsWith('https:')
    const { method = 'GET', headers = {}, body, agent, signal, responseType } = options
    const outgoing = (isSecure ? httpsRequest : httpRequest)(url, {
      method,
      headers,
      // there is one already where the environment names a proxy
      agent: typeof agent === 'object' ? agent : isSecure ? agents.https : agents.http,
      ...(signal === undefined ? {} : { signal: signal as AbortSignal }),
    })
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      // an error after the answer has begun is told by the answer
      outgoing.on('error', reject).once('response', resolve).end(body)
    })
    const data: unknown = responseType === 'stream' ? answer : await read(answer, responseType)
    return {
      config: options,
      data: data as never,
      headers: plain(answer),
      status: answer.statusCode ?? 0,
      statusText: answer.statusMessage ?? '',
      request: { responseURL: url },
    }
  }
}

async function read(answer: IncomingMessage, responseType: string | undefined): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString()
  const isJson = responseType !== 'text' && /json/.test(responseType ?? answer.headers['content-type'] ?? '')
  if (!isJson) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function plain({ headers }: IncomingMessage): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) all[name] = String(value)
  return all
}
