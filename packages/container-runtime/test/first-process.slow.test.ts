/** The worker as the first process of a container: what becomes of processes that functions leave behind. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { FunctionExecutor } from '@lithops/core'
import { containerTools, freePort } from '@lithops/fake-clouds/real-parts'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildWorkerImage, bundleWorker } from '../src/index.ts'
import { HttpPlatform } from './http-platform.ts'
import { open, tools } from './tools.ts'
import { WorkerProgram } from './worker-program.ts'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const node24 = path.join(repository, '.cache/nodes/node_modules/node24/bin/node')
const missing =
  containerTools.missing() ??
  (existsSync(node24)
    ? undefined
    : 'real part missing: Node 24, that of the default image; run node scripts/install-test-nodes.mjs 24')
const once = { retries: { infrastructure: 0, user: 0 } } as const
const platform = `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
const SHELL = { '/bin/node': node24, '/bin/sh': '/bin/sh', '/bin/sleep': '/bin/sleep' }

const podman = (...args: string[]) =>
  execFileSync(tools.part.podman, args, { env: { ...process.env, ...tools.part.env }, encoding: 'utf8' })

let containers = 0

function start(
  image: string,
  port: number,
  environment: Readonly<Record<string, string>>,
  options: readonly string[],
) {
  const name = `first-${++containers}`
  const variables = Object.entries({ ...environment, PORT: String(port) }).map(
    ([key, value]) => `--env=${key}=${value}`,
  )
  const command = [
    tools.part.podman,
    'run',
    `--name=${name}`,
    '--network=host',
    ...options,
    ...variables,
    image,
  ]
  return { name, program: new WorkerProgram(tools.part.env, { command }) }
}

/** Zombies of the container that the function runs in, after half a second's wait for those that end just now. */
const leaveOrphans = async (count: number) => {
  const { spawn } = await import('node:child_process')
  const { readdirSync, readFileSync, readlinkSync } = await import('node:fs')
  for (let i = 0; i < count; i++) {
    // the shell ends at once, and what it has started a moment later
    const shell = spawn('/bin/sh', ['-c', 'sleep 0.1 &'], { stdio: 'ignore', detached: true })
    await new Promise(done => shell.once('exit', done))
  }
  const processes = () =>
    readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => {
        try {
          return [readFileSync(`/proc/${name}/stat`, 'utf8')]
        } catch {
          return []
        }
      })
  const isSleeping = (stat: string) => /^\d+ \(sleep\) [^Z]/.test(stat)
  while (processes().some(isSleeping)) await new Promise(done => setTimeout(done, 20))
  const zombies = () => processes().filter(stat => /\) Z /.test(stat))
  for (let i = 0; i < 25 && zombies().length > 0; i++) await new Promise(done => setTimeout(done, 20))
  return { zombies: zombies().length, first: readlinkSync('/proc/1/exe').slice('/bin/'.length) }
}

async function inContainer(
  image: string,
  options: readonly string[],
  run: (fexec: FunctionExecutor, name: () => string) => Promise<void>,
): Promise<void> {
  let name = ''
  const port = await freePort()
  const backend = new HttpPlatform({
    start: environment => {
      const started = start(image, port, environment, options)
      name = started.name
      return started.program
    },
  })
  try {
    await using fexec = new FunctionExecutor({ backend })
    await run(fexec, () => name)
  } finally {
    await backend.close()
    podman('rm', '--force', '--time=0', name)
  }
}

async function endsInOrder(fexec: FunctionExecutor, name: string): Promise<void> {
  const slow = fexec.callAsync(
    async () => {
      await new Promise(done => setTimeout(done, 1500))
      return 'in time'
    },
    0,
    once,
  )
  await expect.poll(() => slow.state).toBe('running')
  podman('stop', '--time=20', name)
  expect(await slow).toBe('in time')
  expect(podman('inspect', '--format={{.State.ExitCode}}', name).trim()).toBe('0')
}

describe('the first process of a container', () => {
  const images = {
    withShell: 'localhost/lithops-shell:worker',
    bare: 'localhost/lithops-bare:worker',
    old: 'localhost/lithops-old:worker',
  }

  beforeAll(async () => {
    if (missing !== undefined) return
    await using tool = await open('podman')
    const worker = await bundleWorker()
    const bases = {
      withShell: await tools.part.imageOf('localhost/lithops-shell:base', SHELL),
      old: await tools.part.imageOf('localhost/lithops-old:base', {
        ...SHELL,
        '/bin/node': process.execPath,
      }),
      bare: await tools.part.imageOf('localhost/lithops-bare:base', { '/bin/node': node24 }),
    }
    for (const [kind, image] of Object.entries(images))
      await buildWorkerImage(tool, { image, base: bases[kind as keyof typeof bases], worker, platform })
  }, 120_000)

  function real(name: string, run: () => Promise<void>): void {
    test(name, { timeout: 120_000 }, async context => {
      if (missing !== undefined) context.skip(missing)
      await run()
    })
  }

  real('waits for processes that functions leave behind, once they are many', () =>
    inContainer(images.withShell, [], async (fexec, name) => {
      expect(await fexec.callAsync(leaveOrphans, 5)).toEqual({ zombies: 5, first: 'node' })
      expect(await fexec.callAsync(leaveOrphans, 70)).toEqual({ zombies: 75, first: 'node' })
      // a client that is refused meanwhile tries again
      expect(await fexec.callAsync(leaveOrphans, 10)).toEqual({ zombies: 0, first: 'sh' })
      const die = fexec.callAsync(
        async () => {
          const { spawn } = await import('node:child_process')
          for (let i = 0; i < 5; i++) spawn('/bin/sleep', ['0.2'], { stdio: 'ignore' })
          process.kill(process.pid, 'SIGKILL')
          await new Promise(() => {})
        },
        0,
        once,
      )
      await expect(die.result()).rejects.toMatchObject({ code: 'LITHOPS_WORKER_LOST' })
      expect(await fexec.callAsync(leaveOrphans, 1, once)).toEqual({ zombies: 0, first: 'sh' })
      await endsInOrder(fexec, name())
    }),
  )

  real('passes SIGTERM on: what runs may end, and the container ends without a failure', () =>
    inContainer(images.withShell, [], async (fexec, name) => {
      await fexec.callAsync(() => 0, 0, once)
      await endsInOrder(fexec, name())
    }),
  )

  real('tells how a worker ended that could not begin', async () => {
    const { name, program } = start(images.withShell, await freePort(), { LITHOPS_CONCURRENCY: 'many' }, [])
    expect(await program.exited).toMatchObject({ code: 1 })
    expect(program.log).toContain('LITHOPS_CONCURRENCY is "many"')
    podman('rm', '--force', '--time=0', name)
  })

  real('is the worker itself in an image without a shell, which runs as well', () =>
    inContainer(images.bare, [], async fexec => {
      expect(await fexec.callAsync(() => process.ppid, 0, once)).toBe(1)
    }),
  )

  test('keeps zombies on a Node that cannot put a shell in its place, as the README says', {
    timeout: 120_000,
  }, async context => {
    if (missing !== undefined) context.skip(missing)
    if ('execve' in process) context.skip(`Node ${process.versions.node} can`)
    await inContainer(images.old, [], async fexec => {
      await fexec.callAsync(leaveOrphans, 70)
      expect(await fexec.callAsync(leaveOrphans, 3)).toEqual({ zombies: 73, first: 'node' })
    })
  })
})
