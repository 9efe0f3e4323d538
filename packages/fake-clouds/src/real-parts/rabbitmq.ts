import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { freePort, inFolder, ServerProcess } from './server-process.ts'

/** Debian's program on the PATH changes the user first; this is what it starts. */
const DEBIAN_SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

const DEBIAN_CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl'

/** A running RabbitMQ. The user `guest` with the password `guest` may do anything in the vhost `/`. */
export interface RabbitServer extends RunningPart {
  readonly host: string
  readonly port: number
  /** amqp://guest:guest@127.0.0.1:<port> */
  readonly url: string
  /** Runs rabbitmqctl on it. Gives what that says. */
  control(...args: readonly string[]): Promise<string>
  /** Ends the broker, by force when it takes its time. What it keeps on disk stays. */
  stop(): Promise<void>
  /** Starts it again on the same ports. */
  start(): Promise<void>
}

/** One that speaks TLS too, with a certificate that it has made for itself. */
export interface RabbitTlsServer extends RabbitServer {
  /** amqps://guest:guest@127.0.0.1:<port> */
  readonly tlsUrl: string
  /** The certificate in PEM, for clients. */
  readonly caFile: string
}

const PROGRAMS = ['rabbitmq-server', 'epmd', 'erl'] as const

/** RabbitMQ, one node on one folder, with a port mapper of its own. Ready in about four seconds. */
export const rabbitmq = defineRealPart({
  name: 'RabbitMQ',
  programs: PROGRAMS,
  install: 'apt-get install rabbitmq-server',
  start: programs => inFolder('rabbitmq', folder => startServer(programs, folder, '')),
})

/** The same with TLS beside it. */
export const rabbitmqTls = defineRealPart({
  name: 'RabbitMQ with TLS',
  programs: [...PROGRAMS, 'openssl'],
  install: 'apt-get install rabbitmq-server openssl',
  start: programs =>
    inFolder('rabbitmq', async (folder): Promise<RabbitTlsServer> => {
      const tlsPort = await freePort()
      const [caFile, keyFile] = [path.join(folder, 'certificate.pem'), path.join(folder, 'key.pem')]
      await promisify(execFile)(programs.openssl, [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', caFile],
      ])
      const server = await startServer(programs, folder, tlsConfig(caFile, keyFile, tlsPort))
      return { ...server, tlsUrl: `amqps://guest:guest@127.0.0.1:${tlsPort}`, caFile }
    }),
})

async function startServer(
  programs: Readonly<Record<(typeof PROGRAMS)[number], string>>,
  folder: string,
  configText: string,
): Promise<RabbitServer> {
  const [port, mapperPort, clusterPort] = await Promise.all([freePort(), freePort(), freePort()])
  const config = path.join(folder, 'rabbitmq.conf')
  await writeFile(config, configText)
  const mapper = new ServerProcess({
    command: programs.epmd,
    args: ['-port', String(mapperPort), '-address', '127.0.0.1'],
    logFile: path.join(folder, 'epmd.out'),
    folder,
  })
  const env = {
    HOME: folder,
    // no shell stays between us and the broker
    RUNNING_UNDER_SYSTEMD: '1',
    RABBITMQ_MNESIA_BASE: path.join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: path.join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(folder, 'plugins'),
    RABBITMQ_NODENAME: `lithops${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(clusterPort),
    ERL_EPMD_PORT: String(mapperPort),
  }
  const run = async () => {
    const started = new ServerProcess({
      command: existsSync(DEBIAN_SERVER) ? DEBIAN_SERVER : programs['rabbitmq-server'],
      args: [],
      logFile: path.join(folder, 'server.out'),
      env,
    })
    try {
      await started.ready(() => speaksAmqp(port), 110_000)
      return started
    } catch (error) {
      await started.close()
      throw error
    }
  }
  let server: ServerProcess | undefined
  const stop = async () => {
    await server?.close()
    server = undefined
  }
  try {
    await mapper.ready(() => accepts(mapperPort))
    server = await run()
  } catch (error) {
    await mapper.close()
    throw error
  }
  return {
    host: '127.0.0.1',
    port,
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    control: async (...args) => {
      const program = existsSync(DEBIAN_CONTROL) ? DEBIAN_CONTROL : 'rabbitmqctl'
      const options = { env: { ...process.env, ...env } }
      return (await promisify(execFile)(program, ['--quiet', ...args], options)).stdout
    },
    stop,
    async start() {
      server ??= await run()
    },
    async close() {
      await stop()
      await mapper.close()
    },
  }
}

function tlsConfig(certFile: string, keyFile: string, port: number): string {
  return [
    `listeners.ssl.default = 127.0.0.1:${port}`,
    `ssl_options.certfile = ${certFile}`,
    `ssl_options.keyfile = ${keyFile}`,
    'ssl_options.verify = verify_none',
    'ssl_options.fail_if_no_peer_cert = false',
    '',
  ].join('\n')
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
}

/** Sends the header of AMQP 0-9-1 and waits for what a broker that is ready answers. */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const end = (isReady: boolean) => {
      socket.destroy()
      resolve(isReady)
    }
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')))
    socket.setTimeout(2_000, () => end(false))
    socket.on('data', () => end(true)).on('error', () => end(false))
  })
}
