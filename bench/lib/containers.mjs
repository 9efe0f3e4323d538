import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NotBuiltError } from './ours.mjs'

const dist = fileURLToPath(new URL('../../packages/container-runtime/dist', import.meta.url))

/** Starts the worker of container images as a process of this machine, and says where it listens once it is ready. */
async function startContainer(concurrency, folder) {
  const child = spawn(process.execPath, [join(folder, 'entry.cjs')], {
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
    const origin = `http://127.0.0.1:${port}`
    while (!(await fetch(origin)).ok) await setTimeout(5)
    return { child, origin }
  }
  throw new Error('a worker ended before it listened')
}

/** Lays a worker into an empty folder that is to be an image's, so that functions can be put beside it. */
export function layWorker(folder) {
  cpSync(`${dist}/worker`, folder, { recursive: true })
}

/**
 * A backend over so many containers, each of which takes as many activations at once.
 *
 * `image`: folder of the worker, if it is another than the default one. `bakesFunctions`: the functions of runtimes are put
 * into it before containers start.
 */
export async function containersBackend({
  containers,
  concurrency,
  image = `${dist}/worker`,
  bakesFunctions = false,
}) {
  if (!existsSync(`${dist}/worker/entry.cjs`)) throw new NotBuiltError('packages/container-runtime/dist')
  const started = []
  const start = async () => {
    const some = Array.from({ length: containers }, () => startContainer(concurrency, image))
    started.push(...(await Promise.all(some)))
    return started.map(({ origin }) => origin)
  }
  // those that have their functions already are there before their job comes
  const isReady = !bakesFunctions || existsSync(join(image, 'functions'))
  const backend = await backendOver(isReady ? await start() : [], { concurrency, containers, bakesFunctions })
  const { close, deployRuntime } = backend
  return Object.assign(backend, {
    async deployRuntime({ functions = [] }) {
      if (functions.length > 0) mkdirSync(join(image, 'functions'), { recursive: true })
      for (const { hash, read } of functions) {
        const file = join(image, 'functions', `${hash}.mjs`)
        if (!existsSync(file)) writeFileSync(file, await read())
      }
      if (started.length === 0) await backend.add(await start())
      return deployRuntime()
    },
    async close() {
      await close()
      await Promise.all(
        started.map(async ({ child }) => {
          const exited = once(child, 'exit')
          child.kill('SIGTERM')
          await exited
        }),
      )
    },
  })
}

/** A backend over workers that listen already. */
export async function backendOver(
  origins,
  { concurrency = 1, containers = origins.length, bakesFunctions = false } = {},
) {
  const { WorkerConnections } = await import(pathToFileURL(`${dist}/index.js`).href)
  const places = []
  const add = some => {
    for (const origin of some) places.push({ connections: new WorkerConnections({ origin }), running: 0 })
  }
  add(origins)
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
      bakesFunctions,
    },
    defaultRuntime: { name: 'default' },
    add,
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
    close: async () => {
      await Promise.all(places.map(({ connections }) => connections.close()))
    },
  }
}
