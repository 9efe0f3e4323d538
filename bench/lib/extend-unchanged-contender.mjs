// extend-unchanged-contender.mjs KIND SAMPLES, run by tsx: `lithops runtime extend` with nothing changed, on the stand-in of a cluster
// and of its registry. Prints JSON: milliseconds of each, and what was pushed.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const [kind, samples] = process.argv.slice(2)
const project = fileURLToPath(new URL('../../packages/backend-knative', import.meta.url))
const require = createRequire(join(project, 'package.json'))
const load = name => import(pathToFileURL(require.resolve(name)).href)

const { FakeKnative, STAND_IN_TOOL } = await load('@lithops/fake-clouds/knative')
const folder = mkdtempSync(join(tmpdir(), 'bench-extend-'))
const cluster = await FakeKnative.start()
Object.assign(process.env, cluster.env, { USER: 'bench', LITHOPS_CACHE_DIR: join(folder, 'cache') })

try {
  const file = join(folder, 'prices.ts')
  writeFileSync(file, 'export const priceOf = (x: number): number => x * 1.2\n')
  const knative = { docker_server: cluster.registry.host, container_tool: STAND_IN_TOOL }
  const configFile = join(folder, 'config.yaml')
  // YAML takes JSON
  writeFileSync(configFile, JSON.stringify({ lithops: { backend: 'knative' }, knative }))
  const command = [
    join(project, 'node_modules/@lithops/cli/dist/main.js'),
    ...['runtime', 'extend', 'default', '--filepath', file, '--function', 'priceOf'],
  ]
  const env = { ...process.env, LITHOPS_CONFIG_FILE: configFile }
  // the stand-ins are in this process
  const node = args => promisify(execFile)(process.execPath, args, { cwd: project, env })

  const contenders = {
    command: () => node(command),
    bare: () => node(['-e', '0']),
    async program() {
      const { FunctionExecutor } = await load('@lithops/core')
      const fexec = new FunctionExecutor({ backend: 'knative', configFile })
      const [extended] = await fexec.runtimes.extend({ filepath: file, function: 'priceOf' })
      await fexec.close()
      if (extended.isBuilt) throw new Error('something was built')
    },
  }

  await node(command)
  process.chdir(project)
  await contenders[kind]()
  cluster.registry.requests.splice(0)
  const rows = []
  for (let i = 0; i < Number(samples); i++) {
    const start = performance.now()
    await contenders[kind]()
    const wall = performance.now() - start
    const pushes = cluster.registry.requests.splice(0).filter(request => request.startsWith('PUT')).length
    rows.push({ wall, pushes })
  }
  console.log(JSON.stringify(rows))
} finally {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
}
