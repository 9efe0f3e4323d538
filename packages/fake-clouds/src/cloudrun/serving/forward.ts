import { request as httpRequest, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { Instance } from './instance.ts'

export interface ForwardedRequest {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const BROKEN =
  'The request failed because either the HTTP response was malformed or connection to the instance had an error.'

/** Answers in the place of a worker, as the platform's front end does. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { server: 'Google Frontend', 'content-type': 'text/html; charset=UTF-8' })
  response.end(
    `<html><head>\n<title>${status}</title>\n</head>\n<body>\n<h1>Error</h1>\n<h2>${text}</h2>\n</body></html>\n`,
  )
}

/** Passes a request on to an instance, and its answer back; cuts it when its time is up. */
export function forward({
  request,
  response,
  instance,
  leftMs,
  isLost,
}: {
  readonly request: ForwardedRequest
  readonly response: ServerResponse
  readonly instance: Instance
  readonly leftMs: number
  readonly isLost: boolean
}): Promise<void> {
  return new Promise(resolve => {
    // the signature of a token does not come to the worker; its own connection has its own length
    const { 'content-length': _, 'transfer-encoding': __, authorization: ___, ...headers } = request.headers
    const passed = httpRequest({
      host: '127.0.0.1',
      port: instance.port,
      method: request.method,
      path: request.url,
      headers: { ...headers, 'content-length': request.body.length },
      agent: instance.agent,
    })
    const done = () => {
      clearTimeout(timer)
      response.off('close', onClose)
      resolve()
    }
    const onClose = () => passed.destroy()
    const timer = setTimeout(() => {
      if (response.headersSent) response.destroy()
      else refuse(response, 504, 'upstream request timeout')
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
    passed.once('error', () => {
      refuse(response, 503, BROKEN)
      done()
    })
    passed.end(request.body)
  })
}
