import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NotBuiltError } from './ours.mjs'

const KEYS = { accessKeyId: 'bench-root', secretAccessKey: 'bench-secret-key' }

/** Starts MinIO on a free port and a folder of its own; `close` ends it and removes the folder. */
export async function startMinio() {
  const program = findMinio()
  const folder = mkdtempSync(join(tmpdir(), 'bench-minio-'))
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const server = spawn(
    program,
    [
      'server',
      '--quiet',
      '--address',
      `127.0.0.1:${port}`,
      '--console-address',
      `127.0.0.1:${await freePort()}`,
      folder,
    ],
    {
      stdio: 'ignore',
      env: {
        ...process.env,
        HOME: folder,
        MINIO_ROOT_USER: KEYS.accessKeyId,
        MINIO_ROOT_PASSWORD: KEYS.secretAccessKey,
        MINIO_UPDATE: 'off',
        MINIO_BROWSER: 'off',
        MINIO_CI_CD: '1',
      },
    },
  )
  const close = async () => {
    const ended = server.exitCode === null ? new Promise(resolve => server.once('exit', resolve)) : undefined
    server.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`${endpoint}/minio/health/ready`).catch(() => undefined)
    if (answer?.ok) return { endpoint, ...KEYS, close }
    await sleep(100)
  }
  await close()
  throw new Error('MinIO did not start')
}

/** Where scripts/install-real-parts.mjs puts it, or on the PATH. */
function findMinio() {
  const parts = process.env.LITHOPS_REAL_PARTS ?? join(homedir(), '.cache', 'lithops-real-parts')
  const folders = [join(parts, 'bin'), ...(process.env.PATH ?? '').split(delimiter)]
  const found = folders.map(folder => join(folder, 'minio')).find(existsSync)
  if (found === undefined) throw new NotBuiltError('MinIO; run node scripts/install-real-parts.mjs')
  return found
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
