import type {
  ComputeBackend,
  PlatformPolicy,
  RuntimeBuild,
  RuntimeListing,
  RuntimeMetadata,
  RuntimeSpec,
} from '../driver/compute-backend.ts'
import { NotSupportedError } from '../errors/index.ts'
import type { CaptureOptions } from '../function/captured-function.ts'
import { Lane, type WorkerNeeds } from '../invoker/lane.ts'
import { bundleFunction, extendOn, type FunctionChoice } from './extend-runtime.ts'

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

/** A function, and the runtime that it is put into: `name` is that of the runtime to start from. */
export interface RuntimeExtendChoice extends RuntimeDeployChoice, FunctionChoice {
  /** As for jobs. Default: the config's. */
  readonly includeModules?: readonly string[]
  /** As for jobs. Default: the config's. */
  readonly excludeModules?: readonly string[]
}

/** A runtime that has a function, what it said of itself, and how configs name it. */
export type ExtendedRuntimeReport = RuntimeReport & {
  /** For `runtime` of a config. */
  readonly name: string
  /** false: it was there already, and nothing was built. */
  readonly isBuilt: boolean
  readonly function: {
    /** For `map_func` of a config. */
    readonly name: string
    /** For `map_func_mod` of a config. */
    readonly file: string
    /** Of its code, 32 hexadecimal digits: the same content always has the same. */
    readonly hash: string
  }
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
  /** What the config says of bundles. */
  readonly bundling: CaptureOptions
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

  /**
   * Removes a runtime; one that is not there is no error. The next job deploys it again. Of an extended one the image goes too: it
   * must be extended again first. `name` may be a `workerName` of `list()`: of several that have the same name, that one is removed.
   */
  delete(choice: RuntimeChoice = {}): Promise<void> {
    return this.#delete(choice, false)
  }

  /** Removes what is deployed under a name, of this and of other versions, and deploys it anew. */
  async update(choice: RuntimeDeployChoice = {}): Promise<readonly RuntimeReport[]> {
    await this.#delete(choice, true)
    return this.deploy(choice)
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

  /**
   * Puts a function into a runtime, under a new name by its content, and deploys it: jobs of a config that names it with
   * `serverless: {runtime, map_func_mod, map_func}` send no code. Quick, without building anything, when nothing has
   * changed. The code goes into an image or package that others may be able to read, with all that is written in it.
   *
   * @throws ConfigError when there is no such file, or it exports no such function
   * @throws RuntimeBuildError when the runtime cannot be built or pushed, or the file cannot be loaded
   * @throws RuntimeDeployError when there is no runtime to start from, or the new one does not become ready
   * @throws NotSupportedError where the backend has no such thing
   */
  async extend(choice: RuntimeExtendChoice): Promise<readonly ExtendedRuntimeReport[]> {
    const { bundling, workerNeeds } = this.#host
    const { includeModules = bundling.includeModules, excludeModules = bundling.excludeModules } = choice
    const fn = await bundleFunction(choice, {
      ...(includeModules === undefined ? {} : { includeModules }),
      ...(excludeModules === undefined ? {} : { excludeModules }),
    })
    return this.#onEach(async backend => {
      const { signal, createRole } = choice
      const base = this.#specOf(backend, choice)
      const { name, isBuilt, functions = [] } = await extendOn(backend, base.name, fn, signal)
      const lane = new Lane(backend)
      const runtime = lane.runtimeFor({ ...base, name, packages: fn.packages, functions: [fn.code] })
      const wanted = functions.length === 0 ? runtime : { ...runtime, functions }
      const options = { signal, ...(createRole === undefined ? {} : { createRole }) }
      const metadata = await lane.ready(wanted, { ...(await workerNeeds()), ...options })
      const { file, code } = fn
      const told = { name: code.name, file, hash: code.hash }
      return [
        { ...metadata, backend: backend.name, runtime: { ...base, name }, name, isBuilt, function: told },
      ]
    })
  }

  /** The least that deployer and workers must be allowed, in the language of each platform. */
  policies(): Promise<readonly BackendPolicy[]> {
    return this.#onEach(async backend =>
      (backend.policies?.() ?? []).map(policy => ({ ...policy, backend: backend.name })),
    )
  }

  async #delete(choice: RuntimeChoice, isReplaced: boolean): Promise<void> {
    const { signal } = choice
    const common = signal === undefined ? {} : { signal }
    await this.#onEach(async backend => {
      const listed = choice.name === undefined ? [] : await backend.listRuntimes(common)
      const one = listed.find(({ workerName }) => workerName === choice.name)
      const spec = this.#specOf(backend, one ?? choice)
      await backend.deleteRuntime(spec, {
        ...common,
        isReplaced,
        ...(one === undefined ? {} : { workerName: one.workerName }),
      })
      return []
    })
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
