import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NotBuiltError } from './ours.mjs'

const dist = fileURLToPath(new URL('../../packages/container-runtime/dist', import.meta.url))

/** Starts the worker of container images as a process of this machine, and says where it listens. */
async function startContainer(concurrency) {
  const child = spawn(process.execPath, [`${dist}/worker/entry.js`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PORT: '0', LITHOPS_CONCURRENCY: String(concurrency) },
  })
  let log = ''
  child.stdout.setEncoding('utf8')
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
    log += text
    const port = /listens on port (\d+)/.exec(log)?.[1]
    if (port === undefined) continue
    child.stdout.resume()
    return { child, origin: `http://127.0.0.1:${port}` }
  }
  throw new Error('a worker ended before it listened')
}

/** A backend over so many containers, each of which takes as many activations at once. */
export async function containersBackend({ containers, concurrency }) {
  if (!existsSync(`${dist}/worker/entry.js`)) throw new NotBuiltError('packages/container-runtime/dist')
  const { WorkerConnections } = await import(pathToFileURL(`${dist}/index.js`).href)
  const started = await Promise.all(Array.from({ length: containers }, () => startContainer(concurrency)))
  const places = started.map(({ origin }) => ({ connections: new WorkerConnections({ origin }), running: 0 }))
  return {
    specVersion: 1,
    name: 'containers',
    kind: 'faas',
    capabilities: {
      synchronousReply: true,
      streamsReplies: true,
      maxPayloadBytes: Number.POSITIVE_INFINITY,
      maxReplyBytes: Number.POSITIVE_INFINITY,
      maxTimeoutMs: Number.POSITIVE_INFINITY,
      maxActivations: containers * concurrency,
      callsAtOnce: 1,
      activationsPerWorker: concurrency,
      sharesFileSystem: false,
      killsBusyCalls: true,
      freshWorkers: false,
    },
    defaultRuntime: { name: 'default' },
    deployRuntime: async () =>
      (await Promise.all(places.map(({ connections }) => connections.metadata())))[0],
    listRuntimes: async () => [],
    deleteRuntime: async () => {},
    async invoke({ payload }, { signal, onReply }) {
      const place = places.reduce((best, other) => (other.running < best.running ? other : best))
      place.running++
      try {
        await place.connections.run({ payload, signal, onReply })
        return {}
      } finally {
        place.running--
      }
    },
    clean: async () => [],
    async close() {
      await Promise.all(places.map(place => place.connections.close()))
      await Promise.all(
        started.map(async ({ child }) => {
          const exited = once(child, 'exit')
          child.kill('SIGTERM')
          await exited
        }),
      )
    },
  }
}
