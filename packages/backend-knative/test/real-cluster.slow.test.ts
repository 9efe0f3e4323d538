import { execFileSync } from 'node:child_process'
import { removeImage } from '@lithops/container-runtime'
import { FunctionExecutor } from '@lithops/core'
import { ImageRegistry, knativeFaults } from '@lithops/fake-clouds/knative'
import { KnativeOnKubernetes } from '@lithops/fake-clouds/knative-on-kubernetes'
import {
  type ContainerTools,
  containerTools,
  dockerRegistryWithPassword,
  type GuardedContainerRegistry,
  type KubernetesApi,
  kubernetesApi,
} from '@lithops/fake-clouds/real-parts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientsOf } from './cluster.ts'

// All that can be real at once: the API server, images built by buildah, a registry with a password, containers of podman.

const missing = kubernetesApi.missing() ?? containerTools.missing() ?? dockerRegistryWithPassword.missing()
const parts: {
  -readonly [K in 'api' | 'tools' | 'registry']?: {
    api: KubernetesApi
    tools: ContainerTools
    registry: GuardedContainerRegistry
  }[K]
} = {}

beforeAll(async () => {
  if (missing !== undefined) return
  parts.tools = await containerTools.start()
  for (const [name, value] of Object.entries(parts.tools.env)) process.env[name] = value
  parts.registry = await dockerRegistryWithPassword.start()
  parts.api = await kubernetesApi.start()
}, 240_000)
afterAll(async () => {
  for (const part of Object.values(parts)) await part.close()
}, 120_000)

const there = clientsOf(async () => {
  const { api, tools } = parts
  if (api === undefined || tools === undefined) throw new Error(missing)
  const options = { containers: tools, registry: await ImageRegistry.start(), mostPods: 2 }
  return KnativeOnKubernetes.start(api, { ...options, timing: { graceMs: 5_000 } })
})

const open = (section: Record<string, unknown> = {}) =>
  there.open({
    container_tool: 'buildah',
    max_workers: 2,
    runtime_memory: 256,
    docker_server: parts.registry?.host,
    docker_user: parts.registry?.user,
    docker_password: parts.registry?.password,
    base_image: parts.tools?.nodeImage,
    ...section,
  })

function real(name: string, run: (cluster: KnativeOnKubernetes) => Promise<void>): void {
  test(name, { timeout: 240_000 }, async context => {
    if (missing !== undefined) context.skip(missing)
    const cluster = await there.start()
    await run(cluster)
    expect(cluster.failures).toEqual([])
  })
}

const containers = () =>
  execFileSync(String(parts.tools?.podman), ['ps', '--all', '--quiet'], {
    encoding: 'utf8',
    env: { ...process.env, ...parts.tools?.env },
  }).trim()

real('images are pulled with the pull secret that was placed, and nothing is left', async cluster => {
  const backend = await open()
  await using fexec = new FunctionExecutor({ backend })
  const who = (x: number) => [x * 2, process.getuid?.()]
  expect(await fexec.getResult(fexec.map(who, [1, 2, 3]))).toEqual([
    [2, 1000],
    [4, 1000],
    [6, 1000],
  ])
  expect((await cluster.names('pods')).length).toBeGreaterThan(0)
  const [secret] = await cluster.objects('secrets')
  expect(secret).toMatchObject({ type: 'kubernetes.io/dockerconfigjson' })
  const password = parts.registry?.password ?? ''
  const shown = JSON.stringify([await cluster.objects('services'), await cluster.objects('pods')])
  for (const text of [shown, cluster.logs, ...cluster.activations.map(({ body }) => body.toString('latin1'))])
    expect(text).not.toContain(password)
  await backend.clean()
  for (const kind of ['services', 'secrets', 'pods'] as const) expect(await cluster.names(kind)).toEqual([])
  expect(containers()).toBe('')
})

real('an image that is gone from the registry is noticed by its pod, and made again', async cluster => {
  const backend = await open({ runtime_memory: 260 })
  await backend.deployRuntime(backend.defaultRuntime)
  const [pod] = await cluster.objects('pods')
  const spec = (pod?.spec ?? {}) as { readonly containers?: readonly { readonly image: string }[] }
  await backend.deleteRuntime(backend.defaultRuntime)
  await expect.poll(() => cluster.names('pods'), { timeout: 60_000 }).toEqual([])
  const { host: server = '', user = '', password = '' } = parts.registry ?? {}
  await removeImage(String(spec.containers?.[0]?.image), { login: { server, user, password } })
  await using fexec = new FunctionExecutor({ backend: await open({ runtime_memory: 260 }) })
  expect(await fexec.callAsync((x: number) => x + 1, 1)).toBe(2)
  await backend.clean()
  expect(await cluster.names('pods')).toEqual([])
})

real('containers that are killed, pods that are removed: every call ends once', async cluster => {
  const backend = await open()
  await using fexec = new FunctionExecutor({ backend })
  await backend.deployRuntime(backend.defaultRuntime)
  const killed = cluster.inject(knativeFaults.killContainer(), { every: 9, times: 2 })
  const removed = cluster.inject(knativeFaults.removePod(), { every: 13, times: 2 })
  const items = Array.from({ length: 40 }, (_, i) => i)
  const futures = fexec.map((x: number) => x * 2, items)
  expect(await fexec.getResult(futures)).toEqual(items.map(x => x * 2))
  expect(killed.strikes + removed.strikes).toBe(4)
  cluster.clear()
  await backend.clean()
  expect(await cluster.names('pods')).toEqual([])
  expect(containers()).toBe('')
})

real('a container that is over its memory is told as that by its pod', async cluster => {
  const backend = await open()
  await using fexec = new FunctionExecutor({ backend, retries: { infrastructure: 0 } })
  const hoard = fexec.callAsync(async () => {
    const kept: Buffer[] = []
    for (;;) {
      kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
      await new Promise(done => setTimeout(done, 5))
    }
  }, 0)
  await expect(hoard.result()).rejects.toMatchObject({ code: 'LITHOPS_CALL_OUT_OF_MEMORY' })
  await backend.clean()
  expect(await cluster.names('pods')).toEqual([])
})
