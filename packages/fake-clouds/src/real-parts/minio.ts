import path from 'node:path'
import { defineRealPart } from './real-part.ts'
import type { S3Server } from './s3-server.ts'
import { answers, freePort, inFolder, ServerProcess } from './server-process.ts'

const ACCESS_KEY = 'minio-root'
const SECRET_KEY = 'minio-secret-key'

/** MinIO, one process on one folder. Real signatures, real multipart uploads. */
export const minio = defineRealPart({
  name: 'MinIO',
  programs: ['minio'],
  install: 'go install github.com/minio/minio@latest',
  start: programs =>
    inFolder('minio', async (folder): Promise<S3Server> => {
      const port = await freePort()
      const endpoint = `http://127.0.0.1:${port}`
      const server = new ServerProcess({
        command: programs.minio,
        args: [
          'server',
          '--quiet',
          '--address',
          `127.0.0.1:${port}`,
          '--console-address',
          `127.0.0.1:${await freePort()}`,
          path.join(folder, 'data'),
        ],
        logFile: path.join(folder, 'log'),
        folder,
        env: {
          HOME: folder,
          MINIO_ROOT_USER: ACCESS_KEY,
          MINIO_ROOT_PASSWORD: SECRET_KEY,
          MINIO_UPDATE: 'off',
          MINIO_BROWSER: 'off',
          MINIO_CI_CD: '1',
        },
      })
      // its own path for this says yes before it serves requests
      await server.ready(() => answers(endpoint))
      return {
        endpoint,
        region: 'us-east-1',
        accessKeyId: ACCESS_KEY,
        secretAccessKey: SECRET_KEY,
        close: () => server.close(),
      }
    }),
})
