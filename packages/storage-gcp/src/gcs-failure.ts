import { retryAfterMs } from '@lithops/core/driver'

/** What went wrong with one request, without the request: its headers and some of its addresses let others in. */
export class GcsFailure extends Error {
  override readonly name = 'GcsFailure'
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  /** Google's word for it, e.g. 'rateLimitExceeded'; that of the connection, e.g. 'ECONNRESET'; or 'HTTP <status>'. */
  readonly code: string
  readonly retryAfterMs: number | undefined
  /** It was the token that could not be had; the storage was not asked. */
  readonly isOfToken: boolean
  /** It is known that the service has not done anything. */
  isUndone = false

  constructor(
    message: string,
    facts: {
      readonly status?: number | undefined
      readonly code: string
      readonly retryAfterMs?: number | undefined
      readonly isOfToken?: boolean
    },
  ) {
    super(message)
    this.status = facts.status
    this.code = facts.code
    this.retryAfterMs = facts.retryAfterMs
    this.isOfToken = facts.isOfToken ?? false
  }
}

export type Headers = Readonly<Record<string, string | undefined>>

/** Of an answer that is an error: JSON, or text and XML where bytes were asked for. */
export function failureOfAnswer(status: number, headers: Headers, body: string): GcsFailure {
  const { error } = jsonOf(body) as { readonly error?: unknown }
  const { message, errors } = (typeof error === 'object' ? (error ?? {}) : {}) as {
    readonly message?: string
    readonly errors?: readonly { readonly reason?: string }[]
  }
  const told = message ?? /<Message>([^<]*)/.exec(body)?.[1] ?? (body.startsWith('<') ? '' : body)
  return new GcsFailure(firstLine(told), {
    status,
    code: errors?.[0]?.reason || `HTTP ${status}`,
    retryAfterMs: retryAfterMs(headers['retry-after']),
  })
}

/** Of a request that had no answer, or whose answer ended too early. */
export function failureOfConnection(error: unknown): GcsFailure {
  const { code, type, name, message } = error as {
    readonly code?: unknown
    readonly type?: string
    readonly name?: string
    readonly message?: string
  }
  const known = typeof code === 'string' ? code : (type ?? name ?? 'Error')
  return new GcsFailure(withoutAddress(message ?? String(error)), { code: known })
}

/** Of Google's library when it could not get a token. */
export function failureOfToken(error: unknown): GcsFailure {
  const { response, code, message } = error as {
    readonly response?: { readonly status?: number; readonly headers?: Headers; readonly data?: unknown }
    readonly code?: unknown
    readonly message?: unknown
  }
  const { error: word, error_description: more } = (response?.data ?? {}) as Record<string, unknown>
  const parts = [word, more].filter(part => typeof part === 'string')
  const told = parts.length > 0 ? parts.join(': ') : typeof message === 'string' ? message : ''
  return new GcsFailure(withoutAddress(told), {
    status: response?.status,
    code: typeof word === 'string' ? word : typeof code === 'string' ? code : 'token',
    retryAfterMs: retryAfterMs(response?.headers?.['retry-after']),
    isOfToken: true,
  })
}

function jsonOf(body: string): object {
  try {
    return Object(JSON.parse(body))
  } catch {
    return {}
  }
}

/** Addresses of uploads let anybody write who has them. */
function withoutAddress(message: string): string {
  return firstLine(
    message.replace(/^request to \S+ failed, reason: /, '').replace(/https?:\/\/\S+\?\S+/g, 'the service'),
  )
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 500)
}
