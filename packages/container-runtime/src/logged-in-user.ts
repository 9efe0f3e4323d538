import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** As docker and podman write down where docker.io is. */
const DOCKER_IO = [
  'https://index.docker.io/v1/',
  'https://index.docker.io/v1',
  'index.docker.io',
  'docker.io',
]

interface AuthFile {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly username?: string }>>
}

/**
 * Who has logged in to docker.io at this machine, with docker or podman. Undefined where nobody has, or where a credential helper
 * keeps it.
 */
export function loggedInUser(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, HOME = homedir() } = environment
  const files = [
    join(DOCKER_CONFIG ?? join(HOME, '.docker'), 'config.json'),
    REGISTRY_AUTH_FILE,
    XDG_RUNTIME_DIR === undefined ? undefined : join(XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(HOME, '.config', 'containers', 'auth.json'),
  ]
  for (const file of files) {
    const { auths = {} } = file === undefined ? {} : readAuthFile(file)
    for (const server of DOCKER_IO) {
      const { auth = '', username } = auths[server] ?? {}
      const user = username ?? Buffer.from(auth, 'base64').toString('utf8').split(':', 1)[0]
      if (user !== undefined && user !== '' && user !== '<token>') return user
    }
  }
  return undefined
}

function readAuthFile(file: string): AuthFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as AuthFile
  } catch {
    // not there, or another's business
    return {}
  }
}
