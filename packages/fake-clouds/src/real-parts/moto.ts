import path from 'node:path'
import { defineRealPart } from './real-part.ts'
import type { S3Server } from './s3-server.ts'
import { answers, freePort, inFolder, ServerProcess } from './server-process.ts'

/** The moto server: many services of AWS. It does not check signatures. */
export const moto = defineRealPart({
  name: 'moto server',
  programs: ['moto_server'],
  install: "pip install 'moto[server]'",
  start: programs =>
    inFolder('moto', async (folder): Promise<S3Server> => {
      const port = await freePort()
      const endpoint = `http://127.0.0.1:${port}`
      const server = new ServerProcess({
        command: programs.moto_server,
        args: ['-H', '127.0.0.1', '-p', String(port)],
        logFile: path.join(folder, 'log'),
        folder,
      })
      await server.ready(() => answers(`${endpoint}/moto-api/`))
      return {
        endpoint,
        region: 'us-east-1',
        accessKeyId: 'AKIAMOTO',
        secretAccessKey: 'moto-secret-key',
        close: () => server.close(),
      }
    }),
})
