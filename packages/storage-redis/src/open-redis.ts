import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { ConfigError } from '@lithops/core/driver'
import { placeOf, type RedisConfig, type RedisPlace } from './config.ts'
import { RedisConnection } from './redis-connection.ts'
import { RedisStorage } from './redis-storage.ts'

/** Opens the storage. The server is asked by the first operation. */
export function openRedis(
  config: RedisConfig,
  options: { readonly commandTimeoutMs?: number } = {},
): RedisStorage {
  const place = placeOf(config)
  const { host, port, username, password, db, ssl } = place
  const connection = new RedisConnection({
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ssl ? { tls: tlsOf(place) } : {}),
    ...(options.commandTimeoutMs === undefined ? {} : { commandTimeout: options.commandTimeoutMs }),
  })
  const { ssl_ca_certs, storage_bucket } = config
  return new RedisStorage(connection, {
    host: `${host}:${port}`,
    ...(storage_bucket === undefined ? {} : { defaultBucket: storage_bucket }),
    workerConfig: Object.fromEntries(
      Object.entries({ host, port, username, db, ssl, ssl_ca_certs, storage_bucket }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    workerSecrets: password === undefined ? {} : { password },
  })
}

function tlsOf({ host, caFile }: RedisPlace) {
  // addresses are no names of servers: Node checks them by themselves
  if (caFile === undefined) return isIP(host) === 0 ? { servername: host } : {}
  try {
    return { ca: readFileSync(caFile) }
  } catch (cause) {
    throw new ConfigError(`redis.ssl_ca_certs: the file '${caFile}' cannot be read.`, { cause })
  }
}
