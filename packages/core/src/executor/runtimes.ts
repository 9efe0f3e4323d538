import type {
  ComputeBackend,
  PlatformPolicy,
  RuntimeBuild,
  RuntimeListing,
  RuntimeMetadata,
  RuntimeSpec,
} from '../driver/compute-backend.ts'
import { NotSupportedError } from '../errors/index.ts'
import { Lane, type WorkerNeeds } from '../invoker/lane.ts'

/** Which runtime; what is left out is as in the config. */
export interface RuntimeChoice {
  readonly name?: string
  readonly memoryMiB?: number
  readonly signal?: AbortSignal
}

export interface RuntimeDeployChoice extends RuntimeChoice {
  /** Creates the role that workers have on the platform, where the config names none. Default: false. */
  readonly createRole?: boolean
}

/** A runtime that is deployed, and on which backend. */
export type DeployedRuntime = RuntimeListing & { readonly backend: string }
/** What a runtime said of itself when it was deployed. */
export type RuntimeReport = RuntimeMetadata & { readonly backend: string; readonly runtime: RuntimeSpec }
/** A policy, and of which backend. */
export type BackendPolicy = PlatformPolicy & { readonly backend: string }

export interface RuntimesHost {
  backends(): Promise<readonly ComputeBackend[]>
  /** What workers need for the storage of the config. */
  workerNeeds(): Promise<WorkerNeeds>
  /** What the executor's options ask of the runtime. */
  readonly runtime: Partial<RuntimeSpec>
}

/**
 * The runtimes of an executor's backends: the environments that its workers run in. Jobs deploy what they need by
 * themselves; this is for doing it beforehand, for looking, and for removing.
 */
export class Runtimes {
  readonly #host: RuntimesHost

  /** @internal Made by the executor. */
  constructor(host: RuntimesHost) {
    this.#host = host
  }

  /** Those that are deployed for this user. */
  list(): Promise<readonly DeployedRuntime[]> {
    return this.#onEach(async backend =>
      (await backend.listRuntimes()).map(runtime => ({ ...runtime, backend: backend.name })),
    )
  }

  /** Makes a runtime ready for jobs, or brings it up to date. Quick when it is there. */
  async deploy(choice: RuntimeDeployChoice = {}): Promise<readonly RuntimeReport[]> {
    const needs = await this.#host.workerNeeds()
    return this.#onEach(async backend => {
      const runtime = this.#specOf(backend, choice)
      const { signal, createRole } = choice
      const options = { signal, ...(createRole === undefined ? {} : { createRole }) }
      const metadata = await new Lane(backend).ready(runtime, { ...needs, ...options })
      return [{ ...metadata, backend: backend.name, runtime }]
    })
  }

  /** Removes a runtime; one that is not there is no error. The next job deploys it again. */
  async delete(choice: RuntimeChoice = {}): Promise<void> {
    const { signal } = choice
    await this.#onEach(async backend => {
      await backend.deleteRuntime(this.#specOf(backend, choice), signal === undefined ? {} : { signal })
      return []
    })
  }

  /** Builds a custom runtime. Throws NotSupportedError where the backend has no such thing. */
  async build(build: RuntimeBuild & { readonly signal?: AbortSignal }): Promise<void> {
    const { signal, ...what } = build
    await this.#onEach(async backend => {
      if (backend.buildRuntime === undefined)
        throw new NotSupportedError(`${backend.name} has no runtimes that are built.`)
      await backend.buildRuntime(what, signal === undefined ? {} : { signal })
      return []
    })
  }

  /** The least that deployer and workers must be allowed, in the language of each platform. */
  policies(): Promise<readonly BackendPolicy[]> {
    return this.#onEach(async backend =>
      (backend.policies?.() ?? []).map(policy => ({ ...policy, backend: backend.name })),
    )
  }

  #specOf(backend: ComputeBackend, { name, memoryMiB }: RuntimeChoice): RuntimeSpec {
    return {
      ...backend.defaultRuntime,
      ...this.#host.runtime,
      ...(name === undefined ? {} : { name }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
    }
  }

  async #onEach<T>(act: (backend: ComputeBackend) => Promise<readonly T[]>): Promise<readonly T[]> {
    return (await Promise.all((await this.#host.backends()).map(act))).flat()
  }
}
