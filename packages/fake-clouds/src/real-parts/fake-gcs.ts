import path from 'node:path'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { accepts, freePort, inFolder, ServerProcess } from './server-process.ts'

/** A running server of the JSON API of Google Cloud Storage. */
export interface GcsServer extends RunningPart {
  readonly endpoint: string
}

/**
 * fake-gcs-server, with its objects in memory. Tried with the official client: objects, ranges, listings in order,
 * preconditions and uploads in parts are as in the service; it asks for no credentials and checks no signatures.
 */
export const fakeGcs = defineRealPart({
  name: 'fake-gcs-server',
  programs: ['fake-gcs-server'],
  install: 'go install github.com/fsouza/fake-gcs-server@v1.56.1',
  start: programs =>
    inFolder('fake-gcs-server', async (folder): Promise<GcsServer> => {
      const port = await freePort()
      const server = new ServerProcess({
        command: programs['fake-gcs-server'],
        args: [
          ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
          ...['-public-host', `127.0.0.1:${port}`, '-backend', 'memory'],
        ],
        logFile: path.join(folder, 'log'),
        folder,
      })
      await server.ready(() => accepts(port))
      return { endpoint: `http://127.0.0.1:${port}`, close: () => server.close() }
    }),
})
