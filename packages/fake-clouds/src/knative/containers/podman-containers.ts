import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { ContainerTools } from '../../real-parts/container-tools.ts'
import { freePort } from '../../real-parts/server-process.ts'
import {
  type Container,
  type ContainerEnd,
  type ContainerRuntime,
  type ContainerSpec,
  PullError,
  type PullLogin,
} from './containers.ts'
import { listens } from './process-containers.ts'

const run = promisify(execFile)
const STEP_MS = 60_000

/** Containers of podman, with the limits of memory and processors that the cluster asks for, on the host's network. */
export class PodmanContainers implements ContainerRuntime {
  readonly #podman: string
  readonly #env: NodeJS.ProcessEnv
  readonly #running = new Set<Container>()
  /** After a kill for want of memory podman leaves a file where it was started. */
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'lithops-podman-'))

  constructor({ podman, env }: Pick<ContainerTools, 'podman' | 'env'>) {
    this.#podman = podman
    this.#env = { ...process.env, ...env }
  }

  async pull(image: string, login: PullLogin | undefined): Promise<void> {
    const credentials = login === undefined ? [] : [`--creds=${login.user}:${login.password}`]
    try {
      await this.#do(['pull', '--quiet', '--tls-verify=false', ...credentials, image])
    } catch (error) {
      const { stderr = '', message } = error as { readonly stderr?: string; readonly message: string }
      const said = stderr.trim().split('\n').at(-1) ?? message
      throw new PullError(`failed to pull image "${image}": ${said}`)
    }
  }

  async start(spec: ContainerSpec, onOutput: (text: string) => void): Promise<Container> {
    const port = await freePort()
    const name = `lithops-knative-${randomBytes(6).toString('hex')}`
    const env = Object.entries({ ...spec.env, PORT: String(port) }).map(
      ([key, value]) => `--env=${key}=${value}`,
    )
    const { HOSTNAME: hostname } = spec.env
    const mounts = Object.entries(spec.mounts ?? {})
    const folder = mounts.length === 0 ? undefined : mkdtempSync(path.join(tmpdir(), 'lithops-mounts-'))
    const volumes = mounts.map(([place, files], i) => {
      const source = path.join(folder as string, `${i}`)
      mkdirSync(source)
      for (const [file, text] of Object.entries(files)) writeFileSync(path.join(source, file), text)
      return `--volume=${source}:${place}:ro`
    })
    const [program, ...args] = spec.command ?? []
    const child = spawn(
      this.#podman,
      [
        'run',
        `--name=${name}`,
        '--network=host',
        // with the host's network a container has the host's name, unless it gets one of its own
        ...(hostname === undefined ? [] : ['--uts=private', `--hostname=${hostname}`]),
        `--memory=${spec.memoryBytes}`,
        `--memory-swap=${spec.memoryBytes}`,
        `--cpus=${spec.cpuMillis / 1000}`,
        ...env,
        ...volumes,
        ...(program === undefined ? [] : [`--entrypoint=${JSON.stringify([program])}`]),
        spec.image,
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: this.#env, cwd: this.#folder },
    )
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput)
    const ended = new Promise<ContainerEnd>(resolve => {
      child.once('error', error => {
        onOutput(`${error.message}\n`)
        resolve({ exitCode: 127, reason: 'Error' })
      })
      child.once('close', code => resolve(this.#endOf(name, code ?? 137)))
    }).finally(() => {
      this.#running.delete(container)
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    })
    const signal = (one: string) => this.#do(['kill', `--signal=${one}`, name]).catch(() => {})
    const container: Container = {
      port,
      ended,
      listening: listens(port, ended),
      stop: async graceMs => {
        await signal('TERM')
        const timer = setTimeout(() => void signal('KILL'), graceMs)
        await ended
        clearTimeout(timer)
      },
      kill: async () => {
        await signal('KILL')
        await ended
      },
    }
    this.#running.add(container)
    return container
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map(one => one.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #endOf(name: string, exitCode: number): Promise<ContainerEnd> {
    const inspect = await this.#do(['inspect', '--format={{.State.OOMKilled}}', name]).catch(() => '')
    await this.#do(['rm', '--force', '--time=0', name]).catch(() => {})
    const reason = inspect.trim() === 'true' ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error'
    return { exitCode, reason, ...(exitCode > 128 ? { signal: exitCode - 128 } : {}) }
  }

  async #do(args: readonly string[]): Promise<string> {
    const { stdout } = await run(this.#podman, [...args], { env: this.#env, timeout: STEP_MS })
    return stdout
  }
}
