import { randomUUID } from 'node:crypto'
import { ensureAsyncDispose } from '../async-dispose.ts'
import type { Activation, ComputeBackend } from '../driver/compute-backend.ts'
import type { ExecutorOptions } from '../executor/executor-options.ts'
import { FunctionExecutor } from '../executor/function-executor.ts'
import { eventually, type KitCase, type TestFunction, within } from './kit.ts'
import { type ObservedInvoke, observeBackend } from './observed-backend.ts'

export interface ComputeTiming {
  /** How long a call may take from submission to result, with the deployment of its runtime. Default: 20,000. */
  readonly callMs?: number
  /** How long the end of an aborted or closed activation may take. Default: 5,000. */
  readonly stopMs?: number
  /** Time limit that the kit gives to calls that never end. Default: 300; services that know seconds need more. */
  readonly timeoutMs?: number
  /** How many calls the large map has. Default: 500. */
  readonly manyCalls?: number
}

export interface ComputeConformanceOptions {
  readonly test: TestFunction
  /** Makes a backend; each case asks for one and closes it. */
  readonly createBackend: () => ComputeBackend | Promise<ComputeBackend>
  /**
   * Further options of the executors that the kit makes, e.g. `{ storage, monitoring: 'storage' }` for a backend that
   * does not reply by itself.
   */
  readonly executorOptions?: Omit<ExecutorOptions, 'backend'>
  readonly timing?: ComputeTiming
}

/** Whatever breaks is seen: nothing is run a second time. */
export const ONCE = { retries: { infrastructure: 0, user: 0 } } as const

/** What a case has: the backend, and executors over it. */
export class ComputeContext implements AsyncDisposable {
  static {
    ensureAsyncDispose(this)
  }

  readonly backend: ComputeBackend
  readonly timing: Required<ComputeTiming>
  readonly #executorOptions: Omit<ExecutorOptions, 'backend'>
  readonly #executors: FunctionExecutor[] = []

  constructor(
    backend: ComputeBackend,
    options: {
      readonly timing: Required<ComputeTiming>
      readonly executorOptions: Omit<ExecutorOptions, 'backend'>
    },
  ) {
    this.backend = backend
    this.timing = options.timing
    this.#executorOptions = options.executorOptions
  }

  /** Jobs have a storage that the backend's workers can open. */
  get hasStorage(): boolean {
    const { storage } = this.#executorOptions
    return storage !== undefined && storage !== 'storageless'
  }

  /** An executor over the backend, and what it asked of the backend. */
  execute(change?: (activation: Activation) => Activation) {
    const { backend, invokes } = observeBackend(this.backend, change)
    const fexec = new FunctionExecutor({ ...this.#executorOptions, backend })
    this.#executors.push(fexec)
    return { fexec, invokes }
  }

  /** Waits for a result, but not for ever. */
  soon<T>(promise: PromiseLike<T>, what: string): Promise<T> {
    return within(Promise.resolve(promise), this.timing.callMs, what)
  }

  /** An activation that no worker can read: for what must be refused before it is sent. */
  strangeActivation(): Activation {
    return {
      id: `conformance-${randomUUID()}`,
      executorId: 'conformance',
      jobId: 'A000',
      runtime: this.backend.defaultRuntime,
      payload: new Uint8Array([0]),
      callIds: [0],
      callTimeoutMs: 1000,
      freshWorker: false,
    }
  }

  /** The first activation that the executor sends. */
  async firstInvoke(invokes: readonly ObservedInvoke[]): Promise<ObservedInvoke> {
    return eventually(async () => invokes[0], this.timing.callMs, 'an activation')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fexec of this.#executors) await fexec.close()
    await this.backend.close()
  }
}

export type ComputeCase = KitCase<ComputeBackend, ComputeContext>
