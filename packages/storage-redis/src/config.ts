import { ConfigError, defineConfigSection, field } from '@lithops/core/driver'

/** The section `redis`. From: lithops/storage/backends/redis, which gives its keys to redis-py. */
export const redisSection = defineConfigSection({
  name: 'redis',
  fields: {
    host: field.string({ doc: 'Name or address of the server. It or url is needed.' }),
    port: field.integer({ min: 1, max: 65_535, doc: 'Port of the server. Default: 6379.' }),
    username: field.string({ doc: 'User, where the server has more than the default one.' }),
    password: field.string({ secret: true, doc: 'Password of the user, or of the server.' }),
    db: field.integer({ min: 0, doc: 'Number of the database. Default: 0.' }),
    ssl: field.boolean({ doc: 'true: over TLS. Default: false.' }),
    tls: field.boolean({ doc: 'The same as ssl.' }),
    ssl_ca_certs: field.string({
      doc: "File of the certificates that the server's is checked by. Default: those of Node.",
    }),
    url: field.string({
      secret: true,
      doc: 'All of these in one: redis://user:password@host:6379/0, or rediss:// for TLS.',
    }),
    storage_bucket: field.string({ doc: "Bucket of jobs. Default: 'storage'." }),
    // Lithops (Python) gives every key to redis-py
    decode_responses: field.ignored('values are bytes'),
    encoding: field.ignored('values are bytes'),
    max_connections: field.ignored('one connection carries all requests at once'),
    single_connection_client: field.ignored('one connection carries all requests at once'),
    socket_keepalive: field.ignored('connections are kept, and checked'),
    health_check_interval: field.ignored('connections are kept, and checked'),
    retry_on_timeout: field.ignored('what may pass is asked again'),
    client_name: field.ignored('connections have no name'),
    socket_timeout: field.ignored('how long is waited for an answer is fixed', { matters: () => true }),
    socket_connect_timeout: field.ignored('how long is waited for a connection is fixed', {
      matters: () => true,
    }),
  },
})

type Text = string | undefined

/** What the section comes to. */
export interface RedisConfig {
  readonly host?: Text
  readonly port?: number | undefined
  readonly username?: Text
  readonly password?: Text
  readonly db?: number | undefined
  readonly ssl?: boolean | undefined
  readonly tls?: boolean | undefined
  readonly ssl_ca_certs?: Text
  readonly url?: Text
  readonly storage_bucket?: Text
}

/** Where the server is and who one is there. */
export interface RedisPlace {
  readonly host: string
  readonly port: number
  readonly username: Text
  readonly password: Text
  readonly db: number
  readonly ssl: boolean
  readonly caFile: Text
}

const DEFAULT_PORT = 6379

/** Throws ConfigError when the section names no server, or two. */
export function placeOf(config: RedisConfig): RedisPlace {
  const ofUrl: UrlParts = config.url === undefined ? {} : partsOf(config.url)
  for (const key of ['host', 'port', 'username', 'password', 'db'] as const) {
    if (config[key] === undefined || ofUrl[key] === undefined || config[key] === ofUrl[key]) continue
    throw new ConfigError(`redis.url says another ${key} than redis.${key}: give one of them.`)
  }
  const host = config.host ?? ofUrl.host
  if (host === undefined) throw new ConfigError('redis: give host, or url.')
  if (config.ssl !== undefined && config.tls !== undefined && config.ssl !== config.tls) {
    throw new ConfigError('redis.ssl and redis.tls mean the same and differ: give one of them.')
  }
  const username = config.username ?? ofUrl.username
  const password = config.password ?? ofUrl.password
  if (username !== undefined && password === undefined) {
    throw new ConfigError('redis.username is given without password.')
  }
  return {
    host,
    port: config.port ?? ofUrl.port ?? DEFAULT_PORT,
    username,
    password,
    db: config.db ?? ofUrl.db ?? 0,
    ssl: config.ssl ?? config.tls ?? ofUrl.ssl ?? false,
    caFile: config.ssl_ca_certs,
  }
}

type UrlParts = Partial<Pick<RedisConfig, 'host' | 'port' | 'username' | 'password' | 'db' | 'ssl'>>

function partsOf(text: string): UrlParts {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const db = url?.pathname.replace(/^\//, '') ?? ''
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || !/^\d*$/.test(db)) {
    // the text may hold a password
    throw new ConfigError('redis.url must be of the form redis://user:password@host:6379/0, or rediss://….')
  }
  const given = (part: string) => (part === '' ? undefined : decodeURIComponent(part))
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? undefined : Number(url.port),
    username: given(url.username),
    password: given(url.password),
    db: db === '' ? undefined : Number(db),
    ssl: url.protocol === 'rediss:' ? true : undefined,
  }
}
