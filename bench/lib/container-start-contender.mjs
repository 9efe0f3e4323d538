// container-start-contender.mjs KIND SAMPLES, run by tsx: real containers of podman. Prints JSON: milliseconds from the start of
// `podman run` to the first line of user code, and what the image has over its base.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { backendOver } from './containers.mjs'

const [kind, samples] = process.argv.slice(2)
const require = createRequire(new URL('../../packages/container-runtime/package.json', import.meta.url))
const load = name => import(pathToFileURL(require.resolve(name)).href)

const { containerTools } = await load('@lithops/fake-clouds/real-parts')
const { FunctionExecutor } = await load('@lithops/core')
const { buildWorkerImage, bundleWorker, findImageTool } = await load('../container-runtime')
const missing = containerTools.missing()
if (missing !== undefined) throw new Error(missing)
const IMAGE = 'localhost/lithops-worker:bench'
const folder = mkdtempSync(join(tmpdir(), 'bench-container-'))
const tools = await containerTools.start()
const env = { ...process.env, ...tools.env }
const podman = (...args) => execFileSync(tools.podman, args, { env, encoding: 'utf8', cwd: folder })
const sizeOf = image => Number(podman('image', 'inspect', '--format={{.Size}}', image))

/** Starts a container with the network of this machine, and gives the first line of its output that matches. */
async function run(name, pattern, ...args) {
  const child = spawn(tools.podman, ['run', `--name=${name}`, '--network=host', ...args], {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const found = pattern.exec(line)
    if (found !== null) return { child, found: found[1] }
  }
  throw new Error(`container ${name} ended without what was waited for`)
}

const contenders = {
  /** Nothing but Node, in the image that ours stands on. */
  async bare(name) {
    const start = Date.now()
    const code = 'console.log(Date.now())'
    const { child, found } = await run(name, /^(\d+)$/, '--entrypoint=node', tools.nodeImage, '-e', code)
    if (child.exitCode === null) await once(child, 'exit')
    return Number(found) - start
  },

  /** A call, sent as soon as the container listens. */
  async ours(name) {
    const start = Date.now()
    const { child, found } = await run(name, /listens on port (\d+)/, '--env=PORT=0', IMAGE)
    const backend = await backendOver([`http://127.0.0.1:${found}`])
    const fexec = new FunctionExecutor({ backend })
    const at = await fexec.callAsync(() => Date.now(), 0)
    await fexec.close()
    await backend.close()
    podman('rm', '--force', '--time=1', name)
    if (child.exitCode === null) await once(child, 'exit')
    return at - start
  },
}

try {
  Object.assign(process.env, tools.env)
  const tool = await findImageTool({ tool: 'buildah' })
  await buildWorkerImage(tool, {
    image: IMAGE,
    base: tools.nodeImage,
    worker: await bundleWorker(),
    platform: `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`,
  })
  await tool[Symbol.asyncDispose]()
  const ownMb = (sizeOf(IMAGE) - sizeOf(tools.nodeImage)) / 1e6
  await contenders[kind]('warm')
  const rows = []
  for (let i = 0; i < Number(samples); i++) {
    const row = { start: await contenders[kind](`sample-${i}`) }
    rows.push(kind === 'ours' ? { ...row, ownMb } : row)
  }
  console.log(JSON.stringify(rows))
} finally {
  await tools.close()
  rmSync(folder, { recursive: true, force: true })
}
