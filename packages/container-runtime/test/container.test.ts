/** The worker in a real image, as a real container with limits. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { afterAll, expect } from 'vitest'
import { buildWorkerImage, bundleWorker } from '../src/index.ts'
import { HttpPlatform } from './http-platform.ts'
import { open, testTool, tools } from './tools.ts'
import { WorkerProgram } from './worker-program.ts'

const once = { retries: { infrastructure: 0, user: 0 } } as const
const platform = `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
// podman's monitor leaves a file where it was started when a container was out of memory
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-container-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const image = 'localhost/lithops-worker:test'

const podman = (...args: string[]) =>
  execFileSync(tools.part.podman, args, { env: { ...process.env, ...tools.part.env }, encoding: 'utf8' })

/** Starts a container of the image. */
function start(name: string, environment: Readonly<Record<string, string>>): WorkerProgram {
  const variables = Object.entries({ ...environment, PORT: '0' }).map(
    ([key, value]) => `--env=${key}=${value}`,
  )
  const limits = ['--memory=200m', '--memory-swap=200m', '--cpus=1']
  const command = [
    tools.part.podman,
    'run',
    `--name=${name}`,
    '--network=host',
    ...limits,
    ...variables,
    image,
  ]
  return new WorkerProgram(tools.part.env, { command, cwd: folder })
}

testTool(
  'in a container it runs as nobody in particular, says what was killed for want of memory, and ends in order',
  async () => {
    {
      await using tool = await open('podman')
      await buildWorkerImage(tool, {
        image,
        base: tools.part.nodeImage,
        worker: await bundleWorker(),
        platform,
      })
    }
    const backend = new HttpPlatform({ start: environment => start('limited', environment) })
    try {
      await using fexec = new FunctionExecutor({ backend })
      expect(await fexec.callAsync(() => process.getuid?.(), 0, once)).toBe(1000)
      const fill = () => {
        const kept: Buffer[] = []
        for (;;) kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
      }
      await expect(fexec.callAsync(fill, 0, once).result()).rejects.toMatchObject({
        code: 'LITHOPS_CALL_OUT_OF_MEMORY',
        message: expect.stringContaining("container's memory limit"),
      })
      expect(await fexec.callAsync((x: number) => x + 1, 1, once)).toBe(2)
      podman('stop', '--time=20', 'limited')
      expect(podman('inspect', '--format={{.State.ExitCode}}', 'limited').trim()).toBe('0')
    } finally {
      await backend.close()
    }
  },
)
