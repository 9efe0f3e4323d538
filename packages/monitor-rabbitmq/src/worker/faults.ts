import { MonitorError } from '@lithops/core/worker'

/** What a broker or the way to it says, and what to do about it. The URL is a secret: it is in no message. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/ACCESS_REFUSED|403/, 'Check user and password in rabbitmq.amqp_url, and their permissions in the vhost.'],
  [/NOT_ALLOWED|530|vhost was named/, 'Check the vhost in rabbitmq.amqp_url, and that the user may use it.'],
  [/certificate|self.signed|altname|CERT_/i, 'Name the certificates of the broker in rabbitmq.ca_file.'],
  [/wrong version number|packet length|EPROTO|socket hang up/i, 'amqps:// is for TLS, amqp:// is without.'],
  [/ENOTFOUND|EAI_AGAIN/, 'Check the host in rabbitmq.amqp_url.'],
  [
    /ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH/,
    'Check host and port in rabbitmq.amqp_url, and that the broker runs.',
  ],
]

/** The user may not do what was asked, on a connection that it has. */
export function isRefused(cause: unknown): boolean {
  return (cause as { readonly code?: unknown } | undefined)?.code === 403
}

export function monitorError(what: string, server: string, cause: unknown, isRetryable = true): MonitorError {
  const said = saidBy(cause)
  const remedy = REMEDIES.find(([pattern]) => pattern.test(said))?.[1]
  return new MonitorError(`${what} (${server}): ${said}.${remedy === undefined ? '' : ` ${remedy}`}`, {
    isRetryable,
    details: { server },
    cause,
  })
}

/** Without what amqplib puts around it. */
function saidBy(cause: unknown): string {
  const inner = cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors[0] : cause
  const { code, message } = inner as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' && message !== '' ? message : String(inner)
  const named = typeof code === 'string' && !text.includes(code) ? `${code}: ${text}` : text
  // amqplib leaves out what the broker says when it refuses a vhost
  if (/^Expected ConnectionOpenOk/.test(named)) return 'it closed the connection when the vhost was named'
  return named.replace(/^Handshake terminated by server: /, '').replace(/[.\s]+$/, '')
}
