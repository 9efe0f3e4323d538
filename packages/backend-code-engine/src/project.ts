import { ConfigError, pause, RuntimeDeployError } from '@lithops/core/driver'
import type { ApiRequest, CallOptions, CodeEngineClient } from './client.ts'
import type { CodeEngineSettings } from './config.ts'
import type { Kind, Kinds, Project } from './resources.ts'
import { hasStatus, platformError } from './vendor-errors.ts'

const PAGE = 100
const LOOK_AGAIN_MS = 500
const LONGEST_LOOK_MS = 5_000
/** A project is made in some minutes. */
const READY_MS = 900_000
/** States that a project leaves by itself for 'active'. From: "status" of projects in the API reference. */
const IN_MAKING = new Set(['creating', 'preparing'])

export interface ProjectOptions {
  readonly settings: Pick<CodeEngineSettings, 'projectId' | 'projectName' | 'resourceGroupId' | 'region'>
  /** Part of the name of a project that the config does not name. */
  readonly user: string
  readonly log: { info(message: string): void }
}

interface Page {
  readonly next?: { readonly start?: string }
}

/** What lies in the project of the config, which is found, or made, when it is first needed. */
export class ProjectApi {
  readonly #client: CodeEngineClient
  readonly #options: ProjectOptions
  #finding: Promise<string> | undefined

  constructor(client: CodeEngineClient, options: ProjectOptions) {
    this.#client = client
    this.#options = options
  }

  /** Undefined when there is none of that name. */
  async find<K extends Kind>(
    kind: K,
    name: string,
    options: CallOptions = {},
  ): Promise<Kinds[K] | undefined> {
    try {
      return await this.#call<Kinds[K]>({ method: 'GET', path: `/${kind}/${name}`, ...options })
    } catch (error) {
      if (hasStatus(error, 404)) return undefined
      throw error
    }
  }

  create<K extends Kind>(kind: K, body: object, options: CallOptions = {}): Promise<Kinds[K]> {
    return this.#call({ method: 'POST', path: `/${kind}`, body, ...options })
  }

  /** Config maps and secrets: all of one, where it is still what `entityTag` says. */
  replace<K extends 'config_maps' | 'secrets'>(
    kind: K,
    name: string,
    body: object,
    { entityTag, signal }: CallOptions & { readonly entityTag: string | undefined },
  ): Promise<Kinds[K]> {
    return this.#call({ method: 'PUT', path: `/${kind}/${name}`, body, entityTag, signal })
  }

  /** Jobs and applications: these properties of one, where it is still what `entityTag` says. */
  change<K extends 'jobs' | 'apps'>(
    kind: K,
    name: string,
    body: object,
    { entityTag, signal }: CallOptions & { readonly entityTag: string | undefined },
  ): Promise<Kinds[K]> {
    return this.#call({ method: 'PATCH', path: `/${kind}/${name}`, body, entityTag, signal })
  }

  /** One that is not there is no error. */
  async remove(kind: Kind, name: string, options: CallOptions = {}): Promise<void> {
    try {
      await this.#call({ method: 'DELETE', path: `/${kind}/${name}`, ...options })
    } catch (error) {
      if (!hasStatus(error, 404)) throw error
    }
  }

  /** All of a kind, over all pages. */
  async list<K extends Kind>(kind: K, { signal }: CallOptions = {}): Promise<Kinds[K][]> {
    return this.#pages<Kinds[K]>(kind, query =>
      this.#call({ method: 'GET', path: `/${kind}`, query, signal }),
    )
  }

  /** Id of the project. Makes it where there is none of its name. */
  projectId({ signal }: CallOptions = {}): Promise<string> {
    if (this.#finding === undefined) {
      const finding = this.#findProject(signal)
      this.#finding = finding
      finding.catch(() => {
        if (this.#finding === finding) this.#finding = undefined
      })
    }
    return this.#finding
  }

  /** Undefined where there is no project of the config yet: nothing of ours is anywhere then. */
  async existingProjectId({ signal }: CallOptions = {}): Promise<string | undefined> {
    if (this.#finding !== undefined) return this.#finding
    const { settings } = this.#options
    if (settings.projectId !== undefined) return this.projectId({ signal })
    return (await this.#named(signal)) === undefined ? undefined : this.projectId({ signal })
  }

  async #call<T>(request: ApiRequest): Promise<T> {
    const id = await this.projectId({ signal: request.signal })
    return this.#client.call<T>({ ...request, path: `/projects/${id}${request.path}` })
  }

  async #pages<T>(
    key: string,
    read: (
      query: Readonly<Record<string, string | number>>,
    ) => Promise<Page & Readonly<Record<string, unknown>>>,
  ): Promise<T[]> {
    const all: T[] = []
    for (let start: string | undefined; ; ) {
      const page = await read({ limit: PAGE, ...(start === undefined ? {} : { start }) })
      all.push(...((page[key] ?? []) as T[]))
      start = page.next?.start
      if (start === undefined || start === '') return all
    }
  }

  get #name(): string {
    const { settings, user } = this.#options
    return settings.projectName ?? `lithops-${settings.region}-${user}`
  }

  async #named(signal: AbortSignal | undefined): Promise<Project | undefined> {
    const all = await this.#pages<Project>('projects', query =>
      this.#client.call({ method: 'GET', path: '/projects', query, signal }),
    )
    return all.find(({ name, status }) => name === this.#name && !/deleted|removal/.test(status ?? ''))
  }

  async #findProject(signal: AbortSignal | undefined): Promise<string> {
    const { settings } = this.#options
    const step = `finding the project ${settings.projectId ?? this.#name}`
    try {
      if (settings.projectId !== undefined) {
        await this.#client.call({ method: 'GET', path: `/projects/${settings.projectId}`, signal })
        return settings.projectId
      }
      const found = (await this.#named(signal)) ?? (await this.#make(signal))
      await this.#waitUntilActive(found, signal)
      return found.id
    } catch (error) {
      signal?.throwIfAborted()
      if (hasStatus(error, 404) && settings.projectId !== undefined)
        throw new ConfigError(
          `code_engine.project_id is '${settings.projectId}', and there is no such project in ${settings.region}. \`ibmcloud ce project list\` tells which there are.`,
          { cause: error },
        )
      throw platformError(error, step)
    }
  }

  async #make(signal: AbortSignal | undefined): Promise<Project> {
    const { settings, log } = this.#options
    const name = this.#name
    log.info(`making the project ${name} in ${settings.region}`)
    const { resourceGroupId } = settings
    const body = { name, ...(resourceGroupId === undefined ? {} : { resource_group_id: resourceGroupId }) }
    try {
      return await this.#client.call<Project>({ method: 'POST', path: '/projects', body, signal })
    } catch (error) {
      if (!hasStatus(error, 409)) throw error
      // another program was faster
      const found = await this.#named(signal)
      if (found !== undefined) return found
      throw new RuntimeDeployError(
        `The project ${name} was deleted less than seven days ago, and keeps its name so long. Bring it back with \`ibmcloud ce project restore\`, or name another one with code_engine.project_name.`,
        { cause: error, details: { project: name } },
      )
    }
  }

  /** While it is being made the API does not know it everywhere yet (403, 404). */
  async #waitUntilActive(
    { id, name, status: first }: Project,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const endMs = performance.now() + READY_MS
    let status = first
    for (let lookMs = LOOK_AGAIN_MS; status !== 'active'; lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 1.5)) {
      if (status !== undefined && !IN_MAKING.has(status))
        throw new RuntimeDeployError(
          `The project ${name} is '${status}': look at it with \`ibmcloud ce project get --name ${name}\`, or name another one with code_engine.project_name.`,
          { details: { project: name, status } },
        )
      if (performance.now() > endMs)
        throw new RuntimeDeployError(
          `The project ${name} was not active after ${READY_MS / 60_000} minutes.`,
          {
            isRetryable: true,
            details: { project: name, status },
          },
        )
      await pause(lookMs, signal)
      try {
        status = (await this.#client.call<Project>({ method: 'GET', path: `/projects/${id}`, signal })).status
      } catch (error) {
        if (!hasStatus(error, 403, 404)) throw error
        status = undefined
      }
    }
  }
}
