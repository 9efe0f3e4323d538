import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { GroupGuard } from '../../aws/data-plane/group-guard.ts'
import { residentBytes } from '../../aws/data-plane/memory.ts'
import { accepts, freePort } from '../../real-parts/server-process.ts'
import type { ImageRegistry, StandInImage } from '../images/image-registry.ts'
import {
  type Container,
  type ContainerEnd,
  type ContainerRuntime,
  type ContainerSpec,
  PullError,
  type PullLogin,
} from './containers.ts'

const LOOK_AGAIN_MS = 10
const MEMORY_LOOK_MS = 50
const SIGNALS: Readonly<Record<string, number>> = {
  SIGKILL: 9,
  SIGTERM: 15,
  SIGALRM: 14,
  SIGSEGV: 11,
  SIGABRT: 6,
}

/**
 * Containers where there is no podman: the image's files lie in a folder, and its entry point runs as a process of this
 * machine's Node, in a process group of its own. It is a real worker in real processes with a real port. What is not real:
 * it sees the files (but for a folder of temporary ones of its own), the user and the other processes of this machine; folders of packages at fixed paths of the image are
 * not there, and mounted folders lie elsewhere, as their names in variables say; memory is looked at 20 times a second and ends the group when it is over the limit; processors are not limited.
 */
export class ProcessContainers implements ContainerRuntime {
  readonly #registry: ImageRegistry
  readonly #guard = new GroupGuard()
  readonly #images = new Map<string, StandInImage>()
  readonly #folders = new Map<string, Promise<string>>()
  readonly #running = new Set<Container>()

  constructor(registry: ImageRegistry) {
    this.#registry = registry
  }

  async pull(image: string, login: PullLogin | undefined): Promise<void> {
    const authorization =
      login === undefined
        ? undefined
        : `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
    if (!image.startsWith(`${this.#registry.host}/`))
      throw new PullError(`failed to pull and unpack image "${image}": failed to do request: no such host`)
    const found = this.#registry.pull(image, authorization)
    if (found === undefined)
      throw new PullError(
        `failed to pull and unpack image "${image}": failed to resolve reference: ${image}: not found`,
      )
    if (found === 'unauthorized')
      throw new PullError(`failed to pull and unpack image "${image}": failed to authorize: 401 Unauthorized`)
    this.#images.set(image, found)
  }

  async start(spec: ContainerSpec, onOutput: (text: string) => void): Promise<Container> {
    const image = this.#images.get(spec.image)
    if (image === undefined) throw new Error(`${spec.image} was not pulled`)
    const folder = await this.#unpack(spec.image, image)
    const port = await freePort()
    const temporary = await mkdtemp(path.join(this.#guard.folder, 'tmp-'))
    const [program = 'node', ...args] = spec.command ?? image.entrypoint
    const env = await mountInto(path.join(temporary, 'mounts'), spec)
    const child = spawn(
      program === 'node' ? process.execPath : program,
      args.map(argument => (argument.startsWith('/') ? path.join(folder, argument) : argument)),
      {
        cwd: folder,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          TMPDIR: temporary,
          ...image.env,
          ...env,
          PORT: String(port),
          LITHOPS_FAKE_AWS: this.#guard.folder,
        },
      },
    )
    const pid = child.pid ?? 0
    if (pid !== 0) this.#guard.watch(pid)
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput)
    const signalGroup = (signal: NodeJS.Signals) => {
      try {
        if (pid !== 0) process.kill(-pid, signal)
      } catch {
        // the group has ended
      }
    }
    let isOverMemory = false
    const memory = setInterval(() => {
      if ((residentBytes(pid) ?? 0) <= spec.memoryBytes) return
      isOverMemory = true
      signalGroup('SIGKILL')
    }, MEMORY_LOOK_MS)
    const ended = new Promise<ContainerEnd>(resolve => {
      child.once('error', error => {
        onOutput(`${error.message}\n`)
        resolve({ exitCode: 127, reason: 'Error' })
      })
      child.once('close', (code, signal) => {
        const number = signal === null ? undefined : SIGNALS[signal]
        const exitCode = code ?? 128 + (number ?? 0)
        const reason = isOverMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error'
        resolve({ exitCode, reason, ...(number === undefined ? {} : { signal: number }) })
      })
    }).finally(async () => {
      clearInterval(memory)
      signalGroup('SIGKILL')
      this.#guard.forget(pid)
      this.#running.delete(container)
      // processes of the group may be dying still: the guard removes what they leave
      await rm(temporary, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
    })
    const container: Container = {
      port,
      ended,
      listening: listens(port, ended),
      stop: async graceMs => {
        child.kill('SIGTERM')
        const timer = setTimeout(() => signalGroup('SIGKILL'), graceMs)
        await ended
        clearTimeout(timer)
      },
      kill: async () => {
        signalGroup('SIGKILL')
        await ended
      },
    }
    this.#running.add(container)
    return container
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map(one => one.kill()))
    await this.#guard.close()
  }

  /** Once for each image, however many containers of it are started. */
  #unpack(name: string, image: StandInImage): Promise<string> {
    let folder = this.#folders.get(name)
    if (folder === undefined) {
      folder = unpackTo(path.join(this.#guard.folder, createHash('sha256').update(name).digest('hex')), image)
      this.#folders.set(name, folder)
    }
    return folder
  }
}

/** Writes what is mounted below a folder. Returns the environment, with that folder in the names of mounted ones. */
async function mountInto(
  folder: string,
  { env, mounts = {} }: ContainerSpec,
): Promise<Record<string, string>> {
  const mounted = { ...env }
  for (const [place, files] of Object.entries(mounts)) {
    await mkdir(path.join(folder, place), { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, place, name), text)
    for (const [key, value] of Object.entries(mounted))
      mounted[key] = value.replaceAll(`${place}/`, `${path.join(folder, place)}/`)
  }
  return mounted
}

async function unpackTo(folder: string, { files }: StandInImage): Promise<string> {
  if (existsSync(folder)) return folder
  const temporary = `${folder}.part`
  for (const [name, data] of Object.entries(files)) {
    const file = path.join(temporary, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, Buffer.from(data, 'base64'))
    await chmod(file, 0o644)
  }
  await mkdir(temporary, { recursive: true })
  await rename(temporary, folder)
  return folder
}

/** Resolves when something listens there; rejects when the container has ended before. */
export async function listens(port: number, ended: Promise<ContainerEnd>): Promise<void> {
  let end: ContainerEnd | undefined
  void ended.then(one => {
    end = one
  })
  while (!(await accepts(port))) {
    if (end !== undefined) throw new Error(`it ended with exit code ${end.exitCode} before it listened`)
    await new Promise(done => setTimeout(done, LOOK_AGAIN_MS))
  }
}
