import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { accepts, freePort, inFolder, ServerProcess } from './server-process.ts'

/** A running Redis server. */
export interface RedisServer extends RunningPart {
  readonly host: string
  readonly port: number
  readonly password: string
}

/** One that speaks TLS and nothing else. */
export interface RedisTlsServer extends RedisServer {
  /** The certificate, which is its own. */
  readonly caFile: string
}

const PASSWORD = 'redis-secret-password'

/** Redis with a password for its default user; it writes nothing to disk. */
export const redis = defineRealPart({
  name: 'Redis',
  programs: ['redis-server'],
  install: 'apt-get install redis-server',
  start: programs =>
    inFolder('redis', async folder => {
      const port = await freePort()
      return startServer(programs['redis-server'], folder, port, ['--port', String(port)])
    }),
})

/** The same over TLS. */
export const redisTls = defineRealPart({
  name: 'Redis with TLS',
  programs: ['redis-server', 'openssl'],
  install: 'apt-get install redis-server openssl',
  start: programs =>
    inFolder('redis', async (folder): Promise<RedisTlsServer> => {
      const port = await freePort()
      const [caFile, keyFile] = [path.join(folder, 'certificate.pem'), path.join(folder, 'key.pem')]
      await promisify(execFile)(programs.openssl, [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', caFile],
      ])
      const server = await startServer(programs['redis-server'], folder, port, [
        ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
        ...['--tls-cert-file', caFile, '--tls-key-file', keyFile],
      ])
      return { ...server, caFile }
    }),
})

async function startServer(
  command: string,
  folder: string,
  port: number,
  args: readonly string[],
): Promise<RedisServer> {
  const server = new ServerProcess({
    command,
    args: [
      ...['--bind', '127.0.0.1', '--dir', folder, ...args],
      ...['--save', '', '--appendonly', 'no', '--requirepass', PASSWORD],
    ],
    logFile: path.join(folder, 'log'),
    folder,
  })
  await server.ready(() => accepts(port))
  return { host: '127.0.0.1', port, password: PASSWORD, close: () => server.close() }
}
