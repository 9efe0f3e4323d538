/** What runs containers for the stand-ins: podman, and a kubelet, which podman is held against. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KubernetesJobs } from '../src/batch/kubernetes-jobs.ts'
import {
  type Container,
  type ContainerRuntime,
  type ContainerSpec,
  PullError,
} from '../src/knative/containers/containers.ts'
import { PodmanContainers } from '../src/knative/containers/podman-containers.ts'
import {
  containerTools,
  dockerRegistryWithPassword,
  kubernetesCluster,
  withRealPart,
} from '../src/real-parts/index.ts'

const MIB = 1024 * 1024
const START_MS = 60_000
const tools = withRealPart(containerTools)
const registry = withRealPart(dockerRegistryWithPassword)
const cluster = withRealPart(kubernetesCluster)
const missingTools = containerTools.missing() ?? dockerRegistryWithPassword.missing()
let image = ''

beforeAll(() => {
  if (missingTools !== undefined) return
  const { podman, env, nodeImage } = tools.part
  const { host, user, password } = registry.part
  image = `${host}/node:1`
  const args = ['push', '--quiet', '--tls-verify=false', `--creds=${user}:${password}`, nodeImage, image]
  execFileSync(podman, args, { env: { ...process.env, ...env } })
}, START_MS)

const RUNTIMES = [
  {
    name: 'podman',
    missing: missingTools,
    make: () => new PodmanContainers(tools.part),
    // its monitor does not hear of it when the first process is what is killed, and the group has gone before it looks
    reasonOfMemory: expect.stringMatching(/^(OOMKilled|Error)$/),
  },
  {
    name: 'a kubelet',
    missing: missingTools ?? kubernetesCluster.missing(),
    make: () => new KubernetesJobs(cluster.part),
    reasonOfMemory: 'OOMKilled',
  },
]

describe.each(RUNTIMES)('containers of $name', ({ missing, make, reasonOfMemory }) => {
  let runtime: ContainerRuntime
  beforeAll(() => {
    if (missing === undefined) runtime = make()
  })
  afterAll(() => (missing === undefined ? runtime.close() : undefined), START_MS)

  function testContainers(name: string, run: () => Promise<void>): void {
    test(name, { timeout: START_MS }, async context => {
      if (missing !== undefined) context.skip(missing)
      await run()
    })
  }

  /** Runs a program of Node; resolves when the container has begun. */
  async function start(code: string, more: Partial<ContainerSpec> = {}) {
    const { user, password } = registry.part
    await runtime.pull(image, { user, password })
    let output = ''
    const spec = { image, env: {}, command: ['node', '-e', code], memoryBytes: 128 * MIB, cpuMillis: 1000 }
    const container: Container = await runtime.start({ ...spec, ...more }, text => {
      output += text
    })
    container.listening.catch(() => {})
    return { container, output: () => output }
  }
  const stays = 'setInterval(() => {}, 1000); console.log("begun");'

  testContainers('an image that there is not, and one that another login may pull', async () => {
    const { host, user, password } = registry.part
    const other = runtime.pull(`${host}/of-nobody:1`, { user, password })
    await expect(other).rejects.toThrow(PullError)
    await expect(other).rejects.toThrow(/failed to pull .*of-nobody:1/)
    await expect(runtime.pull(`${host}/node:1`, { user, password: 'another' })).rejects.toThrow(PullError)
  })

  testContainers(
    'what is mounted and set is there, all that it writes is told, and its exit code',
    async () => {
      const code =
        'console.log(require("node:fs").readFileSync("/given/text", "utf8"), process.env.WORD); process.exitCode = 3'
      const mounts = { '/given': { text: 'some text' } }
      const { container, output } = await start(code, { mounts, env: { WORD: 'a word' } })
      expect(await container.ended).toEqual({ exitCode: 3, reason: 'Error' })
      expect(output()).toBe('some text a word\n')
    },
  )

  testContainers('one that ends well', async () => {
    const { container } = await start('')
    expect(await container.ended).toEqual({ exitCode: 0, reason: 'Completed' })
  })

  testContainers('too much memory', async () => {
    const { container } = await start('const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1))')
    expect(await container.ended).toEqual({ exitCode: 137, signal: 9, reason: reasonOfMemory })
  })

  testContainers('a program that there is not', async () => {
    const { container } = await start('', { command: ['no-such-program'] })
    expect(await container.ended).toMatchObject({ exitCode: 127, reason: 'Error' })
  })

  testContainers('SIGTERM, with time to end', async () => {
    const { container, output } = await start(`process.on("SIGTERM", () => process.exit(5)); ${stays}`)
    await expect.poll(output, { timeout: 20_000 }).toBe('begun\n')
    await container.stop(20_000)
    expect(await container.ended).toEqual({ exitCode: 5, reason: 'Error' })
  })

  testContainers('SIGTERM that is not heard, and SIGKILL after it', async () => {
    const { container, output } = await start(`process.on("SIGTERM", () => {}); ${stays}`)
    await expect.poll(output, { timeout: 20_000 }).toBe('begun\n')
    await container.stop(1_000)
    expect(await container.ended).toEqual({ exitCode: 137, signal: 9, reason: 'Error' })
  })

  testContainers('SIGKILL without a word', async () => {
    const { container, output } = await start(stays)
    await expect.poll(output, { timeout: 20_000 }).toBe('begun\n')
    await container.kill()
    expect(await container.ended).toEqual({ exitCode: 137, signal: 9, reason: 'Error' })
  })

  testContainers('a port that it listens on', async () => {
    const code =
      'require("node:http").createServer((_, answer) => answer.end("here")).listen(process.env.PORT)'
    const { container } = await start(code)
    await container.listening
    expect(await (await fetch(`http://127.0.0.1:${container.port}`)).text()).toBe('here')
    await container.kill()
  })
})
