import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'
import type { RealPart, RunningPart } from './real-part.ts'
import { accepts, freePort, inFolder, ServerProcess } from './server-process.ts'

/** A running account of Azure Blob Storage. */
export interface AzuriteServer extends RunningPart {
  /** URL of the server; the account's is below it. */
  readonly endpoint: string
  readonly account: string
  readonly accountKey: string
}

const ACCOUNT = 'lithopstest'
const ACCOUNT_KEY = randomBytes(64).toString('base64')

/** Azurite, the vendor's emulator, from npm. It checks signatures of keys and of shared access signatures. */
export const azurite: RealPart<AzuriteServer> = {
  name: 'Azurite',
  missing: () => undefined,
  start: () => inFolder('azurite', folder => start(folder, [])),
}

/** The same over https with a certificate of its own, which takes bearer tokens of Microsoft Entra ID. */
export const azuriteWithTokens: RealPart<AzuriteServer> = {
  name: 'Azurite with tokens',
  missing: () =>
    findProgram('openssl') === undefined
      ? 'real part missing: Azurite with tokens (no openssl; apt-get install openssl)'
      : undefined,
  start: () =>
    inFolder('azurite', async folder => {
      const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
      const files = ['-keyout', key, '-out', cert]
      await promisify(execFile)(String(findProgram('openssl')), [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
        ...subject,
        ...files,
      ])
      return start(folder, ['--oauth', 'basic', '--cert', cert, '--key', key])
    }),
}

async function start(folder: string, more: readonly string[]): Promise<AzuriteServer> {
  const port = await freePort()
  const protocol = more.length === 0 ? 'http' : 'https'
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const server = new ServerProcess({
    command: process.execPath,
    args: [
      program,
      ...['--silent', '--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--blobHost', '127.0.0.1', '--blobPort', String(port)],
      ...more,
    ],
    logFile: path.join(folder, 'log'),
    folder,
    env: { AZURITE_ACCOUNTS: `${ACCOUNT}:${ACCOUNT_KEY}` },
  })
  await server.ready(() => accepts(port))
  return {
    endpoint: `${protocol}://127.0.0.1:${port}`,
    account: ACCOUNT,
    accountKey: ACCOUNT_KEY,
    close: () => server.close(),
  }
}
