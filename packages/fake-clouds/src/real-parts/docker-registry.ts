import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { answers, freePort, inFolder, ServerProcess } from './server-process.ts'

export interface ContainerRegistry extends RunningPart {
  /** Host and port; plain http. */
  readonly host: string
}

export interface GuardedContainerRegistry extends ContainerRegistry {
  readonly user: string
  readonly password: string
}

const USER = 'pusher'
const PASSWORD = 'pull-me-pass'
/** Of the password, by bcrypt, which is all that the registry reads. */
const PASSWORD_HASH = '$2b$04$m.szWrH7yfBNKTOC..gzrO6Orocu/FpT.y0DPM2nCx8HtORnksBkG'

/** The reference implementation of a container registry, on one folder: anybody may push, pull and delete. */
export const dockerRegistry = registryPart('docker-registry', host => ({ host }))

/** The same, for those who log in. */
export const dockerRegistryWithPassword = registryPart(
  'docker-registry with a password',
  host => ({ host, user: USER, password: PASSWORD }),
  `${USER}:${PASSWORD_HASH}\n`,
)

function registryPart<R extends { readonly host: string }>(
  name: string,
  facts: (host: string) => R,
  htpasswd?: string,
) {
  return defineRealPart({
    name,
    programs: ['docker-registry'],
    install: 'apt-get install docker-registry',
    start: programs =>
      inFolder('docker-registry', async (folder): Promise<R & RunningPart> => {
        const host = `127.0.0.1:${await freePort()}`
        const config = path.join(folder, 'config.yml')
        await writeFile(config, configOf(folder, host, htpasswd !== undefined))
        if (htpasswd !== undefined) await writeFile(path.join(folder, 'htpasswd'), htpasswd)
        const server = new ServerProcess({
          command: programs['docker-registry'],
          args: ['serve', config],
          logFile: path.join(folder, 'log'),
          folder,
        })
        await server.ready(() => answers(`http://${host}/v2/`))
        return { ...facts(host), close: () => server.close() }
      }),
  })
}

function configOf(folder: string, host: string, isGuarded: boolean): string {
  return `version: 0.1
log: { level: error }
storage:
  filesystem: { rootdirectory: ${folder}/data }
  delete: { enabled: true }
http: { addr: ${host} }
${isGuarded ? `auth: { htpasswd: { realm: registry, path: ${folder}/htpasswd } }\n` : ''}`
}
