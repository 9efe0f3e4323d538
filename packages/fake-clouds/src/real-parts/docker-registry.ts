import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { answers, freePort, inFolder, ServerProcess } from './server-process.ts'

export interface ContainerRegistry extends RunningPart {
  /** Host and port; plain http, anybody may push, pull and delete. */
  readonly host: string
}

/** The reference implementation of a container registry, on one folder. */
export const dockerRegistry = defineRealPart({
  name: 'docker-registry',
  programs: ['docker-registry'],
  install: 'apt-get install docker-registry',
  start: programs =>
    inFolder('docker-registry', async (folder): Promise<ContainerRegistry> => {
      const host = `127.0.0.1:${await freePort()}`
      const config = path.join(folder, 'config.yml')
      await writeFile(config, configOf(folder, host))
      const server = new ServerProcess({
        command: programs['docker-registry'],
        args: ['serve', config],
        logFile: path.join(folder, 'log'),
        folder,
      })
      await server.ready(() => answers(`http://${host}/v2/`))
      return { host, close: () => server.close() }
    }),
})

function configOf(folder: string, host: string): string {
  return `version: 0.1
log: { level: error }
storage:
  filesystem: { rootdirectory: ${folder}/data }
  delete: { enabled: true }
http: { addr: ${host} }
`
}
