import path from 'node:path'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { accepts, freePort, inFolder, ServerProcess } from './server-process.ts'

/** A running Redis server. */
export interface RedisServer extends RunningPart {
  readonly host: string
  readonly port: number
  readonly password: string
}

const PASSWORD = 'redis-secret-password'

/** Redis with a password for its default user; it writes nothing to disk. */
export const redis = defineRealPart({
  name: 'Redis',
  programs: ['redis-server'],
  install: 'apt-get install redis-server',
  start: programs =>
    inFolder('redis', async (folder): Promise<RedisServer> => {
      const port = await freePort()
      const server = new ServerProcess({
        command: programs['redis-server'],
        args: [
          ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
          ...['--save', '', '--appendonly', 'no', '--requirepass', PASSWORD],
        ],
        logFile: path.join(folder, 'log'),
        folder,
      })
      await server.ready(() => accepts(port))
      return { host: '127.0.0.1', port, password: PASSWORD, close: () => server.close() }
    }),
})
