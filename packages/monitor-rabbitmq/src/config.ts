import { readFileSync } from 'node:fs'
import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'
import {
  DEFAULT_MAX_RESULT_BYTES,
  DEFAULT_QUEUE_EXPIRES_SECONDS,
  DEFAULT_TIMEOUT_SECONDS,
  HEARTBEAT_SECONDS,
  PIECE_BYTES,
} from './limits.ts'

/** The section `rabbitmq`. From: lithops/monitor.py, which knows amqp_url alone. */
export const rabbitmqSection = defineConfigSection({
  name: 'rabbitmq',
  fields: {
    amqp_url: field.string({
      secret: true,
      required: true,
      env: 'LITHOPS_RABBITMQ_AMQP_URL',
      doc: 'URL of the broker: amqp://user:password@host:5672/vhost, or amqps:// for TLS. A slash in the name of a vhost is %2F.',
    }),
    username: field.string({
      env: 'LITHOPS_RABBITMQ_USERNAME',
      doc: 'User, where the URL has none.',
    }),
    password: field.string({
      secret: true,
      env: 'LITHOPS_RABBITMQ_PASSWORD',
      doc: 'Password, where the URL has none.',
    }),
    ca_file: field.string({
      doc: 'File with the certificates, in PEM, that the one of an amqps broker is checked against. Default: those of Node.',
    }),
    timeout: field.number({
      min: 1,
      default: DEFAULT_TIMEOUT_SECONDS,
      doc: 'Seconds that the broker may be away: then results come through the storage, or the calls end with MonitorError.',
    }),
    max_result_bytes: field.integer({
      min: PIECE_BYTES,
      default: DEFAULT_MAX_RESULT_BYTES,
      doc: 'Largest result in bytes of a job without a storage.',
    }),
    queue_expires: field.number({
      min: 1,
      default: DEFAULT_QUEUE_EXPIRES_SECONDS,
      doc: 'Seconds after which the broker removes the queue of a program that died. More than `timeout`.',
    }),
  },
})

/** What the section comes to. */
export interface RabbitmqConfig {
  readonly amqp_url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly ca_file?: string | undefined
  readonly timeout: number
  readonly max_result_bytes: number
  readonly queue_expires: number
}

/** The config with everything checked, and in the units that the code counts in. */
export interface BrokerOptions {
  /** With user and password: a secret. */
  readonly url: string
  /** The same without them. */
  readonly server: string
  /** Certificates in PEM. */
  readonly ca: string | undefined
  readonly timeoutMs: number
  readonly maxResultBytes: number
  readonly queueExpiresMs: number
}

/** Throws ConfigError, which never shows the URL. */
export function compileConfig(config: RabbitmqConfig): BrokerOptions {
  const url = parseUrl(config.amqp_url)
  for (const [part, key] of [
    ['username', 'username'],
    ['password', 'password'],
  ] as const) {
    const given = config[key]
    if (given === undefined) continue
    if (url[part] !== '' && decodeURIComponent(url[part]) !== given)
      throw new ConfigError(`rabbitmq.${key} is given, and rabbitmq.amqp_url has another: give one of them.`)
    url[part] = encodeURIComponent(given)
  }
  if (url.username === '' && url.password !== '')
    throw new ConfigError('rabbitmq.password is given without a user: set rabbitmq.username.')
  if (config.queue_expires <= config.timeout) {
    throw new ConfigError(
      `rabbitmq.queue_expires (${config.queue_expires} s) must be more than rabbitmq.timeout (${config.timeout} s): ` +
        'the queue has to outlast an absence of the broker.',
    )
  }
  const server = new URL(url)
  server.username = ''
  server.password = ''
  server.search = ''
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS))
  return {
    url: url.href,
    server: server.href,
    ca: readCa(config.ca_file, url.protocol),
    timeoutMs: config.timeout * 1000,
    maxResultBytes: config.max_result_bytes,
    queueExpiresMs: Math.round(config.queue_expires * 1000),
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['amqp:', 'amqps:'].includes(url.protocol) || url.hostname === '') {
    throw new ConfigError(
      'rabbitmq.amqp_url is no URL of a broker: it looks like amqp://user:password@host:5672/vhost, or amqps:// for TLS. ' +
        'Characters such as @, / and # in a password are written %40, %2F and %23.',
    )
  }
  if (/\//.test(url.pathname.slice(1))) {
    throw new ConfigError(
      `rabbitmq.amqp_url names the vhost '${url.pathname.slice(1)}': write a slash in it as %2F.`,
    )
  }
  return url
}

function readCa(file: string | undefined, protocol: string): string | undefined {
  if (file === undefined) return undefined
  if (protocol !== 'amqps:')
    throw new ConfigError('rabbitmq.ca_file is given, and rabbitmq.amqp_url is not amqps://: TLS needs both.')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`rabbitmq.ca_file: '${file}' cannot be read (${(cause as Error).message}).`, {
      cause,
    })
  }
  if (!text.includes('BEGIN CERTIFICATE'))
    throw new ConfigError(`rabbitmq.ca_file: there is no certificate in PEM in '${file}'.`)
  return text
}
