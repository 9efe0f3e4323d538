import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NotBuiltError } from './ours.mjs'

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** Starts RabbitMQ on free ports and a folder of its own; `close` ends it and removes the folder. */
export async function startRabbitmq() {
  if (!existsSync(SERVER))
    throw new NotBuiltError('RabbitMQ; run node scripts/install-real-parts.mjs rabbitmq')
  const folder = mkdtempSync(join(tmpdir(), 'bench-rabbitmq-'))
  const [port, clusterPort, mapperPort] = await Promise.all([freePort(), freePort(), freePort()])
  const mapper = spawn('epmd', ['-port', String(mapperPort), '-address', '127.0.0.1'], { stdio: 'ignore' })
  const server = spawn(SERVER, [], {
    stdio: 'ignore',
    env: {
      ...process.env,
      HOME: folder,
      RUNNING_UNDER_SYSTEMD: '1',
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_NODENAME: `bench${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(clusterPort),
      ERL_EPMD_PORT: String(mapperPort),
    },
  })
  const close = async () => {
    for (const program of [server, mapper]) {
      const ended =
        program.exitCode === null ? new Promise(resolve => program.once('exit', resolve)) : undefined
      program.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  for (let tries = 0; tries < 600; tries++) {
    if (await speaksAmqp(port)) return { url: `amqp://guest:guest@127.0.0.1:${port}`, close }
    await sleep(100)
  }
  await close()
  throw new Error('RabbitMQ did not start')
}

function speaksAmqp(port) {
  return new Promise(resolve => {
    const end = answer => {
      socket.destroy()
      resolve(answer)
    }
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')))
    socket.setTimeout(2_000, () => end(false))
    socket.on('data', () => end(true)).on('error', () => end(false))
  })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
