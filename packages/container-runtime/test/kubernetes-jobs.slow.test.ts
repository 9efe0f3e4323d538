/** The batch entry of the worker's image as Indexed Jobs of Kubernetes, on a real kubelet. */
import { FunctionExecutor } from '@lithops/core'
import { kubernetesCluster, minio, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect, test } from 'vitest'
import type { PodSettings } from './kubernetes-job.ts'
import { indexOf, KubernetesPlatform } from './kubernetes-platform.ts'
import { missingTools, open, registry, tools } from './tools.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const cluster = withRealPart(kubernetesCluster)
const storage = withRealPart(minio)
const missing = kubernetesCluster.missing() ?? missingTools() ?? minio.missing()
const TIMEOUT = { timeout: 180_000 }

function testJobs(
  name: string,
  settings: Partial<PodSettings>,
  run: (fexec: FunctionExecutor, platform: KubernetesPlatform) => Promise<void>,
): void {
  test(name, TIMEOUT, async context => {
    if (missing !== undefined) context.skip(missing)
    await using tool = await open('podman')
    const platform = new KubernetesPlatform({
      cluster: cluster.part,
      tool,
      registryHost: registry.part.host,
      baseImage: tools.part.nodeImage,
      memory: '160Mi',
      ...settings,
    })
    const { endpoint, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = storage.part
    const fexec = new FunctionExecutor({
      backend: platform,
      storage: 'minio',
      monitoring: 'storage',
      config: { minio: { endpoint, access_key_id, secret_access_key, storage_bucket: 'jobs' } },
    })
    try {
      await run(fexec, platform)
    } finally {
      await fexec.close()
      await platform.close()
    }
  })
}

testJobs('each index runs its part of the batch, as nobody in particular', {}, async (fexec, platform) => {
  const look = async (x: number) => {
    const { readFileSync } = await import('node:fs')
    return {
      x,
      index: process.env.JOB_COMPLETION_INDEX,
      user: process.getuid?.(),
      first: readFileSync('/proc/1/cmdline', 'latin1').split('\0').slice(0, 3),
      secrets: JSON.stringify(process.env).includes('minio'),
    }
  }
  const seen = await fexec.getResult(fexec.map(look, [5, 6, 7], once))
  const first = ['node', '/lithops/worker.cjs', 'batch']
  expect(seen).toEqual(
    [5, 6, 7].map((x, index) => ({ x, index: `${index}`, user: 1000, first, secrets: false })),
  )
  expect(await endOf(platform)).toMatchObject({
    spec: { completionMode: 'Indexed', completions: 3 },
    status: { succeeded: 3, completedIndexes: '0-2' },
  })
})

testJobs(
  'what is killed for want of memory is told as that by the kubelet, and other indices go on',
  {},
  async (fexec, platform) => {
    const fill = async (isMuch: boolean) => {
      const kept: Buffer[] = []
      while (isMuch) {
        kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
        await new Promise(done => setTimeout(done, 5))
      }
      return kept.length
    }
    const futures = fexec.map(fill, [false, true, false], once)
    expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([0, undefined, 0])
    expect(futures[1]?.error).toMatchObject({ message: expect.stringContaining('OOMKilled') })
    const { status } = await endOf(platform)
    expect(status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1', succeeded: 2, failed: 1 })
    // the kernel ends the process that ran the function; the first one of the container ends itself then
    expect(await endOfIndex(platform, 1)).toMatchObject({ reason: 'OOMKilled', exitCode: 134 })
  },
)

testJobs('a function that ends its process has failed, whatever it says', {}, async (fexec, platform) => {
  const end = (x: number) => (x === 1 ? process.exit(0) : x)
  const futures = fexec.map(end, [0, 1, 2], once)
  expect(await fexec.getResult(futures, { throwExcept: false })).toEqual([0, undefined, 2])
  const { status } = await endOf(platform)
  expect(status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1', succeeded: 2, failed: 1 })
  expect(await endOfIndex(platform, 1)).toMatchObject({ reason: 'Error', exitCode: 70 })
})

/** Begins two calls that take so long, and removes the pod of the second one when both run. */
async function removeOne(fexec: FunctionExecutor, platform: KubernetesPlatform, ms: number) {
  const wait = (x: number) => new Promise<number>(done => setTimeout(done, ms, x))
  const futures = fexec.map(wait, [0, 1], once)
  await expect.poll(() => futures.map(one => one.state), { timeout: 60_000 }).toEqual(['running', 'running'])
  const pods = await platform.pods(platform.jobs[0] ?? '')
  await platform.removePod(pods.find(pod => indexOf(pod) === 1)?.metadata.name ?? '')
  return fexec.getResult(futures, { throwExcept: false })
}

testJobs(
  'a pod that is removed in the middle, and does not end in its grace, is run again by its Job',
  { backoffLimitPerIndex: 1, graceS: 1 },
  async (fexec, platform) => {
    expect(await removeOne(fexec, platform, 5_000)).toEqual([0, 1])
    const { status } = await endOf(platform)
    expect(status).toMatchObject({ completedIndexes: '0,1', succeeded: 2, failed: 1 })
    expect(platform.jobs).toHaveLength(1)
  },
)

testJobs(
  'a pod that is removed in the middle ends its call in its grace',
  { backoffLimitPerIndex: 0, graceS: 20 },
  async (fexec, platform) => {
    expect(await removeOne(fexec, platform, 3_000)).toEqual([0, 1])
    const { status } = await endOf(platform)
    expect(status).toMatchObject({ completedIndexes: '0,1', succeeded: 2 })
    expect(status.failed).toBeUndefined()
  },
)

testJobs(
  'an image that cannot be pulled is told in the words of the kubelet',
  {},
  async (fexec, platform) => {
    expect(await fexec.callAsync((x: number) => x + 1, 1, once)).toBe(2)
    platform.image = `${registry.part.host}/lithops-worker:of-nobody`
    await expect(fexec.callAsync((x: number) => x + 1, 1, once).result()).rejects.toMatchObject({
      message: expect.stringMatching(/ErrImagePull: .*lithops-worker:of-nobody: not found/),
    })
  },
)

/** The first Job, when it has ended. */
async function endOf(platform: KubernetesPlatform) {
  const [name = ''] = platform.jobs
  await expect
    .poll(async () => (await platform.job(name)).status.conditions?.at(-1)?.type, { timeout: 60_000 })
    .toMatch(/^(Complete|Failed)$/)
  return platform.job(name)
}

/** How the container of an index has ended the last time. */
async function endOfIndex(platform: KubernetesPlatform, index: number) {
  const pods = await platform.pods(platform.jobs[0] ?? '')
  return pods.findLast(pod => indexOf(pod) === index)?.status.containerStatuses?.[0]?.state.terminated
}
