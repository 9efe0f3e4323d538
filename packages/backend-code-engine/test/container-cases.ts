import { computeConformance } from '@lithops/core/testing'
import { batchContainerKit, withMinio } from '@lithops/fake-clouds/batch-suite'
import { codeEngineFaults, type FakeCodeEngineOptions } from '@lithops/fake-clouds/code-engine'
import { ImageRegistry } from '@lithops/fake-clouds/knative'
import {
  containerTools,
  dockerRegistryWithPassword,
  type KubernetesCluster,
  minio,
  type RealPart,
} from '@lithops/fake-clouds/real-parts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cloud } from './cloud.ts'

/**
 * Cases with real images: built by buildah, pushed to and pulled from a real registry with a password, and run with limits of memory
 * and processors, as containers of podman or as pods of a node.
 */
export function containerCases({
  bucket,
  node,
}: {
  /** Of the storage; this file's own. */
  readonly bucket: string
  /** Default: podman. */
  readonly node?: RealPart<KubernetesCluster>
}): {
  /** Registers a case that needs all of this. */
  readonly test: (name: string, run: () => Promise<void> | void) => void
  /** The node, inside of cases. */
  readonly cluster: () => KubernetesCluster
} {
  const missing =
    containerTools.missing() ?? dockerRegistryWithPassword.missing() ?? minio.missing() ?? node?.missing()
  const parts: { close(): Promise<void> }[] = []
  const options: { -readonly [K in keyof FakeCodeEngineOptions]: FakeCodeEngineOptions[K] } = {
    mostInstances: 2,
  }
  const there = cloud(options)
  const storage = withMinio(bucket)
  const section: Record<string, unknown> = {
    container_tool: 'buildah',
    runtime_cpu: 0.5,
    runtime_memory: 1024,
  }

  beforeAll(async () => {
    if (missing !== undefined) return
    const tools = await containerTools.start()
    parts.push(tools)
    const registry = await dockerRegistryWithPassword.start()
    parts.push(registry)
    for (const [name, value] of Object.entries(tools.env)) process.env[name] = value
    options.cluster = await node?.start()
    if (options.cluster !== undefined) parts.push(options.cluster)
    options.containers = tools
    options.registry = await ImageRegistry.start()
    Object.assign(section, {
      docker_server: registry.host,
      docker_user: registry.user,
      docker_password: registry.password,
      base_image: tools.nodeImage,
    })
  }, 180_000)
  afterAll(async () => {
    // its containers end before what runs them
    await there.close()
    for (const part of parts.reverse()) await part.close()
  }, 180_000)

  const testContainers = (name: string, run: () => Promise<void> | void) =>
    test(name, { timeout: 240_000 }, async context => {
      if (missing !== undefined) context.skip(missing)
      await run()
    })

  describe('jobs in containers', () => {
    batchContainerKit({
      storage,
      open: more => there.open({ ...section, ...more }),
      test: testContainers,
      seen: async error => {
        expect(error.message).toMatch(/ 1024 MB/)
        const cloud = await there.start()
        const texts = [cloud.text('jobs'), cloud.text('job_runs'), cloud.text('config_maps'), cloud.logs]
        for (const text of texts) expect(text).not.toContain(storage.secret)
      },
    })
  })

  describe('containers that are killed', () => {
    const twice = (x: number) => x * 2

    testContainers('SIGKILL from outside: only that index runs again, and the error names it', async () => {
      const cloud = await there.start()
      await using fexec = storage.open(await there.open(section))
      expect(await fexec.callAsync(twice, 1)).toBe(2)
      cloud.clear()
      const wait = (x: number) => new Promise<number>(done => setTimeout(done, 3_000, x))
      const killed = cloud.inject(codeEngineFaults.killInstance(1_000), { skip: 1 })
      expect(await fexec.getResult(fexec.map(wait, [0, 1, 2]))).toEqual([0, 1, 2])
      expect(killed.strikes).toBe(1)
      const specs = cloud.runs.map(run => String(run.scale_array_spec))
      expect(specs).toEqual(['0-2', expect.stringMatching(/^[0-2]$/)])
      cloud.inject(codeEngineFaults.killInstance(500))
      await expect(
        fexec.callAsync(wait, 1, { retries: { infrastructure: 0 } }).result(),
      ).rejects.toMatchObject({
        code: 'LITHOPS_WORKER_LOST',
        message: expect.stringMatching(/killed \(exit code 137\), with 1024 MB/),
      })
    })

    testContainers('SIGKILL by the function itself', async () => {
      await using fexec = storage.open(await there.open(section))
      const kill = () => process.kill(process.pid, 'SIGKILL')
      await expect(
        fexec.callAsync(kill, 0, { retries: { infrastructure: 0 } }).result(),
      ).rejects.toMatchObject({
        code: 'LITHOPS_WORKER_LOST',
        message: expect.stringMatching(/killed \(exit code 137\)/),
      })
    })

    testContainers('a function in its image is the one that a batch runs', async () => {
      const cloud = await there.start()
      await using fexec = storage.open(await there.open({ ...section, runtime_include_function: true }))
      cloud.clear()
      expect(await fexec.getResult(fexec.map(twice, [1, 2, 3]))).toEqual([2, 4, 6])
      expect(await (await fexec.storage()).listKeys('lithops.functions/')).toEqual([])
    })
  })

  describe('applications in containers', () => {
    computeConformance({
      test: (name, run) =>
        /gives its value|several calls/.test(name) ? testContainers(name, run) : undefined,
      createBackend: () => there.open({ ...section, workload: 'applications' }),
      timing: { callMs: 90_000 },
    })
  })

  return {
    test: testContainers,
    cluster: () => {
      if (options.cluster === undefined) throw new Error('There is no node.')
      return options.cluster
    },
  }
}
