import type { ClassTable } from '../codec/class-table.ts'
import { decodeValue } from '../codec/value.ts'
import type { IncomingActivation } from './activation-message.ts'
import { instantiateFunction, type ModuleFactory } from './instantiate.ts'
import { readLocation } from './job-objects.ts'
import type { WorkerHost } from './worker-host.ts'

/** Jobs whose function stays instantiated in a warm worker. */
const KEPT_JOBS = 16

/** A job's function, with its captured values in place. */
export interface LoadedFunction {
  readonly fn: (...args: unknown[]) => unknown
  readonly classes: ClassTable
  readonly extraArgs: readonly unknown[]
}

/**
 * Modules are kept by content for the life of the worker. Instances, with their own copy of the captured values, are
 * kept per job: a counter that one job's function changes is not seen by the next job.
 */
export class FunctionCache {
  readonly #modules = new Map<string, Promise<ModuleFactory>>()
  readonly #jobs = new Map<string, LoadedFunction>()
  readonly #loading = new Map<string, Promise<LoadedFunction>>()

  /** The function if it is loaded already: the hot path needs no await. */
  loaded(activation: IncomingActivation): LoadedFunction | undefined {
    return this.#jobs.get(jobKeyOf(activation))
  }

  /** Activations of a job that come at once share one loading of its function. */
  load(activation: IncomingActivation, host: WorkerHost): Promise<LoadedFunction> {
    const key = jobKeyOf(activation)
    let loading = this.#loading.get(key)
    if (loading === undefined) {
      loading = this.#load(activation, host).finally(() => this.#loading.delete(key))
      this.#loading.set(key, loading)
    }
    return loading
  }

  async #load(activation: IncomingActivation, host: WorkerHost): Promise<LoadedFunction> {
    const { head } = activation
    await host.loadStorage?.(head)
    const factory = await this.#module(activation, host)
    const env =
      head.function.env.kind === 'inline' ? activation.env : await readLocation(head.function.env, head, host)
    const { fn, classes } = instantiateFunction(factory, env)
    const extra =
      head.extraArgs === undefined ? activation.extraArgs : await readLocation(head.extraArgs, head, host)
    const extraArgs = extra.length === 0 ? [] : (decodeValue(extra, classes) as unknown[])
    const loaded = { fn: fn as LoadedFunction['fn'], classes, extraArgs }
    this.#jobs.set(jobKeyOf(activation), loaded)
    for (const oldest of this.#jobs.keys()) {
      if (this.#jobs.size <= KEPT_JOBS) break
      this.#jobs.delete(oldest)
    }
    return loaded
  }

  #module(activation: IncomingActivation, host: WorkerHost): Promise<ModuleFactory> {
    const { extraEnv } = activation.head
    const { hash, code } = activation.head.function
    let module = this.#modules.get(hash)
    if (module === undefined) {
      module =
        code.kind === 'object'
          ? readLocation(code, activation.head, host).then(bytes =>
              host.importModule(hash, { kind: 'inline' }, bytes, extraEnv),
            )
          : host.importModule(hash, code, activation.code, extraEnv)
      this.#modules.set(hash, module)
      // a failed import may be a passing fault: the next activation tries again
      module.catch(() => this.#modules.delete(hash))
    }
    return module
  }
}

function jobKeyOf(activation: IncomingActivation): string {
  return `${activation.head.executorId}/${activation.head.jobId}`
}
