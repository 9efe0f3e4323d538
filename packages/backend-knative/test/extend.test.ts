/** Images with functions: `lithops runtime extend`, and jobs of configs that name what it made. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { STAND_IN_TOOL } from '@lithops/fake-clouds/knative'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { cluster } from './cluster.ts'

const CLI = fileURLToPath(new URL('../node_modules/@lithops/cli/dist/main.js', import.meta.url))
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const root = mkdtempSync(path.join(tmpdir(), 'lithops-test-extend-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const there = cluster()
const broker = withRealPart(rabbitmq)

type Scale = (x: number) => readonly [string, number]

function write(name: string, rate: number): string {
  const file = path.join(root, name, 'scaling.ts')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(
    file,
    `const rate: number = ${rate}
/** ${'A long word about it. '.repeat(50)} */
export function scale(x: number): readonly [string, number] { return ['words of the code', x * rate] }
`,
  )
  return file
}

async function load(file: string): Promise<Scale> {
  return ((await import(/* @vite-ignore */ pathToFileURL(file).href)) as { scale: Scale }).scale
}

/** Pushes and questions since they were last asked for. */
async function asked() {
  const { registry } = await there.start()
  const requests = registry.requests.splice(0)
  return {
    pushes: requests.filter(request => request.startsWith('PUT')),
    questions: requests.filter(request => !request.startsWith('PUT')),
  }
}

async function extend(file: string, options: Record<string, unknown> = {}, base = 'default') {
  const backend = await there.open({ runtime_memory: 256, ...options })
  await using fexec = new FunctionExecutor({ backend })
  const [extended] = await fexec.runtimes.extend({ name: base, filepath: file, function: 'scale' })
  if (extended === undefined) throw new Error('there is no backend')
  return extended
}

describe('an extended runtime', () => {
  test('is built once for the same content, and has the function of its jobs, which put none on the wire', async () => {
    const knative = await there.start()
    const file = write('once', 5)
    await asked()
    const first = await extend(file)
    expect(first).toMatchObject({ isBuilt: true, functions: [first.function.hash] })
    expect(first.name).toMatch(/^127\.0\.0\.1:\d+\/lithops_runtime:[0-9a-f]{16}$/)
    // the image with the function, and the worker over it
    expect((await asked()).pushes).toEqual([
      expect.stringContaining('PUT lithops_runtime:'),
      expect.stringContaining('PUT lithops_runtime:worker-'),
    ])

    // again: no tool is run, nothing is pushed, and nothing asked of the cluster
    const toolless = { container_tool: '/no/such/podman' }
    knative.clear()
    expect(await extend(file, toolless)).toMatchObject({ name: first.name, isBuilt: false })
    const { pushes, questions } = await asked()
    expect(pushes).toEqual([])
    expect(questions).toHaveLength(2) // whether it is there, and for which digest it stands now
    expect(knative.counts).toEqual({})

    const backend = await there.open({ runtime_memory: 256, ...toolless })
    const config = { serverless: { runtime: first.name, map_func_mod: file, map_func: 'scale' } }
    await using fexec = new FunctionExecutor({ backend, config })
    expect(await fexec.getResult(fexec.map(await load(file), [1, 2, 3]))).toEqual(
      [5, 10, 15].map(value => ['words of the code', value]),
    )
    expect((await asked()).pushes).toEqual([])
    expect(knative.counts).toEqual({})
    await vi.waitFor(() => expect(knative.activations).toHaveLength(3))
    for (const { body } of knative.activations) {
      expect(body.includes('words of the code')).toBe(false)
      expect(body.length).toBeLessThan(600)
    }
  })

  test('of another content has another name; its base may be an image that the user has built', async () => {
    const dockerfile = path.join(root, 'Dockerfile')
    writeFileSync(path.join(root, 'words.txt'), 'from the image')
    writeFileSync(dockerfile, 'FROM localhost/lithops-node:1\nCOPY words.txt /words.txt\n')
    const backend = await there.open()
    await backend.buildRuntime({ name: 'mine:1', file: dockerfile })
    const functionOf = (hash: string) => ({ name: 'f', hash, read: async () => Buffer.from(hash) })
    const extended = []
    for (const hash of ['1'.repeat(32), '2'.repeat(32)])
      extended.push(await backend.extendRuntime({ base: 'mine:1', functions: [functionOf(hash)] }))
    for (const { name } of extended) expect(name).toMatch(/\/mine:[0-9a-f]{16}$/)
    expect(new Set(extended.map(({ name }) => name)).size).toBe(2)
    const { registry } = await there.start()
    const images = registry.content
      .split('\n')
      .map(text => JSON.parse(text) as { files: Record<string, string> })
    expect(images.map(({ files }) => Object.keys(files).sort())).toContainEqual([
      `/lithops/functions/${'1'.repeat(32)}.mjs`,
      '/words.txt',
    ])
    await expect(extend(write('own', 7), {}, 'never:1')).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_DEPLOY',
      message: expect.stringMatching(
        /There is no image of the runtime 'never:1'.*lithops runtime build never:1/,
      ),
    })
  })

  test('that is not there is said, with the command that makes it', async () => {
    const { registry } = await there.start()
    const file = write('missing', 8)
    const backend = await there.open()
    const runtime = `${registry.host}/lithops_runtime:0123456789abcdef`
    const config = { serverless: { runtime, map_func_mod: file, map_func: 'scale' } }
    await using fexec = new FunctionExecutor({ backend, config })
    await expect(fexec.getResult(fexec.map(await load(file), [1]))).rejects.toThrow(
      /There is no image of the runtime .*lithops runtime extend default --filepath FILE --function NAME -b knative/,
    )
  })
})

describe('what extend has made over a runtime of the user’s own', () => {
  /** Image and tag, whatever is in the manifest; another program of the user's has pushed it. */
  async function push(name: string, manifest: string) {
    const { registry } = await there.start()
    const url = `http://${registry.host}/v2/${name.replace(':', '/manifests/')}`
    expect((await fetch(url, { method: 'PUT', body: manifest })).status).toBe(201)
  }
  async function manifestOf(image: string) {
    const [, host, name = '', tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(image) ?? []
    return (await fetch(`http://${host}/v2/${name}/manifests/${tag}`)).text()
  }
  const tagOf = (image: string) => image.replace(/^.*:/, '')
  const functionOf = (hash: string) => ({ name: 'f', hash, read: async () => Buffer.from(hash) })

  test('goes with clean, deployed or not, and nothing that the user has built', async () => {
    const { registry } = await there.start()
    const dockerfile = path.join(root, 'Dockerfile.base')
    writeFileSync(dockerfile, 'FROM localhost/lithops-node:1\nENV WORD=base\n')
    const backend = await there.open()
    await backend.buildRuntime({ name: 'base:1', file: dockerfile })
    const deployed = await extend(write('cleaned', 21), {}, 'base:1')
    const alone = await backend.extendRuntime({ base: 'base:1', functions: [functionOf('3'.repeat(32))] })
    const renamed = await backend.extendRuntime({ base: 'base:1', functions: [functionOf('4'.repeat(32))] })
    const theirs = await there.open({ user: 'somebody else' })
    const other = await theirs.extendRuntime({ base: 'base:1', functions: [functionOf('5'.repeat(32))] })
    // what users build may have tags that look like ours, stand on an image of ours, or be one under another name
    await push('base:0123456789abcdef', await manifestOf(`${registry.host}/base:1`))
    const over = JSON.parse(await manifestOf(deployed.name)) as { readonly env: object }
    await push('base:feedfeedfeedfeed', JSON.stringify({ ...over, env: { ...over.env, MORE: 'x' } }))
    await push('base:kept', await manifestOf(renamed.name))

    const planned = await backend.clean({ dryRun: true })
    const images = planned.filter(name => name.startsWith('image ') && name.includes('/base:'))
    expect(images).toEqual(
      expect.arrayContaining([
        `image ${deployed.name}`,
        `image ${alone.name}`,
        expect.stringMatching(/:worker-[0-9a-f]{16}$/),
      ]),
    )
    expect(images).toHaveLength(3)
    expect(await backend.clean()).toEqual(planned)
    const users = ['1', '0123456789abcdef', 'feedfeedfeedfeed', 'kept']
    expect([...registry.tags('base')].sort()).toEqual(
      [...users, tagOf(renamed.name), tagOf(other.name)].sort(),
    )
    expect(registry.tags('lithops_runtime')).toEqual([])
    expect(await backend.clean()).toEqual([])
    // the runtime of the config may have been extended, and nothing of it deployed
    await (await there.open({ user: 'somebody else', runtime: 'base:1' })).clean()
    expect(registry.tags('base')).not.toContain(tagOf(other.name))
  })

  test('stays when it is updated, and goes when it is deleted', async () => {
    const { registry } = await there.start()
    const file = write('deleted', 22)
    const dockerfile = path.join(root, 'Dockerfile.base')
    writeFileSync(dockerfile, 'FROM localhost/lithops-node:1\nENV WORD=base\n')
    const backend = await there.open({ runtime_memory: 256 })
    await backend.buildRuntime({ name: 'updated:1', file: dockerfile })
    const { name } = await extend(file, {}, 'updated:1')
    await using fexec = new FunctionExecutor({ backend })
    expect(await fexec.runtimes.update({ name })).toMatchObject([{ runtime: { name } }])
    const tags = registry.tags('updated')
    expect(tags).toEqual(expect.arrayContaining(['1', tagOf(name), expect.stringMatching(/^worker-/)]))
    expect(tags).toHaveLength(3)
    // by the name that the list has, which tells it from others of the runtime
    await backend.deleteRuntime({ name }, { workerName: 'another' })
    const one = (await fexec.listRuntimes()).find(listing => listing.name === name)
    expect(one?.details).toMatchObject({
      cpu: '500m',
      timeout: '60 s',
      image: expect.stringMatching(/^[0-9a-f]{12}$/),
    })
    await fexec.runtimes.delete({ name: one?.workerName ?? '' })
    expect(registry.tags('updated')).toEqual(['1'])
    await fexec.runtimes.delete({ name })
    expect(registry.tags('updated')).toEqual(['1'])
  })
})

/** Writes a config for the cluster, with these keys of the section serverless. */
async function configFile(serverless: Record<string, string> = {}): Promise<string> {
  const { registry } = await there.start()
  const knative = { docker_server: registry.host, container_tool: STAND_IN_TOOL, runtime_memory: 300 }
  const file = path.join(root, 'config.yaml')
  // YAML takes JSON
  writeFileSync(file, JSON.stringify({ lithops: { backend: 'knative' }, knative, serverless }))
  return file
}

/** Runs a program in the folder of this package, whose dependencies have the backend. */
async function program(args: readonly string[], config: string) {
  const { env } = await there.start()
  return new Promise<{ status: number; stdout: string; stderr: string }>(resolve => {
    execFile(
      process.execPath,
      args,
      { cwd: packageFolder, env: { ...process.env, ...env, USER: 'tester', LITHOPS_CONFIG_FILE: config } },
      (error, stdout, stderr) => resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

const lithops = async (args: readonly string[]) => program([CLI, ...args], await configFile())

describe('lithops runtime extend', () => {
  test('of two programs at once builds once; the example of the documentation then runs as it says', async () => {
    const knative = await there.start()
    const example = fileURLToPath(new URL('../../../examples/extended-runtime/', import.meta.url))
    const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url))
    const file = path.join(example, 'prices.ts')
    await asked()
    const command = ['runtime', 'extend', 'default', '--filepath', file, '--function', 'priceOf']
    const both = await Promise.all([lithops(command), lithops([...command, '--json'])])
    expect(both.map(({ status }) => status)).toEqual([0, 0])
    const builds = both.flatMap(({ stderr }) => stderr.match(/lithops: building /g) ?? [])
    expect(builds).toHaveLength(2) // the image with the function, and the worker over it
    const runtime = /^Extended runtime: (.+)\n$/.exec(both[0].stdout)?.[1] ?? ''
    const { extended } = JSON.parse(both[1].stdout) as { extended: { name: string; isBuilt: boolean }[] }
    expect(extended).toMatchObject([{ name: runtime, function: { name: 'priceOf', file } }])
    expect((await asked()).pushes).toHaveLength(2)

    const before = knative.activations.length
    const config = await configFile({ runtime, map_func_mod: 'prices', map_func: 'priceOf' })
    const run = await program([tsx, path.join(example, 'main.ts')], config)
    expect(run.status).toBe(0)
    expect(run.stdout).toMatch(/^\w{6}: 10\.40\n\w{6}: 24\.20\n\w{6}: 30\.00\n$/)
    expect((await asked()).pushes).toEqual([])
    for (const { body } of knative.activations.slice(before)) expect(body.includes('toFixed')).toBe(false)
  })

  test('says what is wrong with the function, and with the base', async () => {
    const file = write('errors', 12)
    const run = (...args: string[]) => lithops(['runtime', 'extend', ...args])
    const mistyped = await run('default', '--filepath', file, '--function', 'scalee')
    expect([mistyped.status, mistyped.stderr]).toEqual([2, expect.stringContaining("Did you mean 'scale'?")])
    const missing = await run('default', '--filepath', `${file}x`, '--function', 'scale')
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining('there is no file')])
    const base = await run('never:1', '--filepath', file, '--function', 'scale')
    expect([base.status, base.stderr]).toEqual([1, expect.stringContaining('lithops runtime build never:1')])
  })
})

describe('without any storage', () => {
  broker.test(
    'a job over RabbitMQ sends call data alone, and asks nothing of a registry or the cluster',
    async () => {
      const knative = await there.start()
      const file = write('storageless', 13)
      const rabbit = { rabbitmq: { amqp_url: broker.part.url } }
      const lithops = { storage: 'storageless', rabbitmq_monitor: true }
      const open = async (tool: Record<string, unknown> = {}) => there.open({ runtime_memory: 256, ...tool })
      await using deployer = new FunctionExecutor({ backend: await open(), config: { lithops, ...rabbit } })
      const [extended] = await deployer.runtimes.extend({
        name: 'default',
        filepath: file,
        function: 'scale',
      })
      await asked()
      knative.clear()
      const before = knative.activations.length
      await using fexec = new FunctionExecutor({
        backend: await open({ container_tool: '/no/such/podman' }),
        config: {
          lithops,
          ...rabbit,
          serverless: { runtime: extended?.name, map_func_mod: file, map_func: 'scale' },
        },
      })
      const items = Array.from({ length: 5 }, (_, i) => i)
      expect(await fexec.getResult(fexec.map(await load(file), items))).toEqual(
        items.map(x => ['words of the code', x * 13]),
      )
      expect((await asked()).pushes).toEqual([])
      expect(knative.counts['create ksvc']).toBeUndefined()
      // results may be there before the requests have ended
      await vi.waitFor(() => expect(knative.activations.slice(before)).toHaveLength(items.length))
      const bodies = knative.activations.slice(before).map(({ body }) => body)
      for (const body of bodies) {
        expect(body.includes('words of the code')).toBe(false)
        expect(body.length).toBeLessThan(800)
      }
    },
  )
})

describe('a registry that refuses', () => {
  const guarded = cluster({ registryLogin: { user: 'pusher', password: 'right-word' } })

  test('is told of with what it said, and nothing is deployed', async () => {
    const knative = await guarded.start()
    const backend = await guarded.open({ docker_user: 'pusher', docker_password: 'wrong-word' })
    await using fexec = new FunctionExecutor({ backend })
    await expect(
      fexec.runtimes.extend({ filepath: write('refused', 14), function: 'scale' }),
    ).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringMatching(/logged in as pusher.*whether they may pull there/s),
    })
    expect(knative.names('services')).toEqual([])
  })
})
