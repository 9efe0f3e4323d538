import { nodeCrypto } from '../builtins.ts'
import type {
  ComputeBackend,
  RuntimeMetadata,
  RuntimeSpec,
  WorkerDriver,
  WorkerSecrets,
} from '../driver/compute-backend.ts'
import { ConfigError, NotSupportedError, ProtocolError } from '../errors/index.ts'
import type { Job } from '../job/job.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'
import { Pace } from './pace.ts'

/** Tells sets of secrets apart without keeping them longer than they are needed. */
function digestOf(secrets: readonly WorkerSecrets[]): string {
  return secrets.length === 0
    ? ''
    : nodeCrypto().createHash('sha256').update(JSON.stringify(secrets)).digest('hex')
}

/** What a job's workers need beside the runtime itself. */
export interface WorkerNeeds {
  readonly secrets?: readonly WorkerSecrets[]
  readonly drivers?: readonly WorkerDriver[]
}

/** One backend as the invoker sees it: what is under way there, and which runtimes are ready. */
export class Lane {
  /** Activations handed to the backend and not ended. */
  inFlight = 0
  /** Why nothing more is sent there. */
  drained: unknown
  readonly pace = new Pace()
  readonly #runtimes = new Map<string, Promise<RuntimeMetadata>>()

  constructor(readonly backend: ComputeBackend) {}

  /** How many more activations it takes now; `ahead` counts those that it may keep for later. */
  free(ahead: boolean): number {
    if (this.drained !== undefined || this.pace.pauseMs > 0) return 0
    const { maxActivations, prefetch = 0 } = this.backend.capabilities
    return Math.min(this.pace.limit, maxActivations + (ahead ? prefetch : 0)) - this.inFlight
  }

  /**
   * Whether activations carry the code of the job's function. Not where `deployRuntime` puts it into the runtime, nor where the
   * config says that the runtime has it; workers that see this machine's files find it here.
   */
  hasFunctionOf({ isBaked }: Pick<Job, 'isBaked'>): boolean {
    const { bakesFunctions, sharesFileSystem } = this.backend.capabilities
    return bakesFunctions === true || (isBaked && !sharesFileSystem)
  }

  /**
   * A runtime that the config says has the job's function must have it, just as it is now.
   *
   * @throws ConfigError where it has not, NotSupportedError where the backend has no such runtimes
   */
  checkFunction(
    job: Pick<Job, 'isBaked' | 'fn'>,
    hash: string,
    runtime: RuntimeSpec,
    { functions = [] }: RuntimeMetadata,
  ): void {
    if (!job.isBaked || runtime.functions !== undefined || this.backend.capabilities.sharesFileSystem) return
    const { name: backend, extendRuntime } = this.backend
    if (extendRuntime === undefined)
      throw new NotSupportedError(
        `${backend} has no runtimes that functions are put into: leave map_func_mod and map_func out of the section serverless.`,
      )
    if (functions.includes(hash)) return
    const has = functions.length === 0 ? 'no function at all' : 'another version of it, or another function'
    throw new ConfigError(
      `The runtime '${runtime.name}' does not have the function '${job.fn.name}' as it is now, but ${has}. Put it there with ` +
        `\`lithops runtime extend BASE_RUNTIME_NAME --filepath FILE --function ${job.fn.name} -b ${backend}\` and name that runtime in the config, ` +
        'or leave serverless.map_func_mod and map_func out to send it with the job.',
      { details: { runtime: runtime.name, hash, functions } },
    )
  }

  /** The backend's default runtime with what a job asks beside it. */
  runtimeFor(wanted: Partial<RuntimeSpec>): RuntimeSpec {
    const { packages = [], functions = [], ...others } = wanted
    const { bringsPackages, bakesFunctions } = this.backend.capabilities
    return {
      ...this.backend.defaultRuntime,
      ...others,
      ...(packages.length > 0 && bringsPackages === true ? { packages } : {}),
      ...(functions.length > 0 && bakesFunctions === true ? { functions } : {}),
    }
  }

  /**
   * Deploys a runtime at its first use, and again for secrets or drivers that were not placed with it or have changed
   * since. Several callers share one deployment; after a failure the next tries again.
   */
  ready(
    runtime: RuntimeSpec,
    needs: WorkerNeeds & { readonly signal?: AbortSignal | undefined; readonly createRole?: boolean } = {},
  ): Promise<RuntimeMetadata> {
    const { secrets = [], signal, createRole = false } = needs
    const drivers = this.backend.capabilities.sharesFileSystem ? [] : (needs.drivers ?? [])
    const modules = drivers.map(({ module }) => module).join('\n')
    const { name, memoryMiB = '', timeoutMs = '', packages = [], functions = [] } = runtime
    const versions = JSON.stringify([packages, functions.map(({ hash }) => hash)])
    const key = [name, memoryMiB, timeoutMs, digestOf(secrets), modules, versions].join('\n')
    let ready = this.#runtimes.get(key)
    if (ready === undefined) {
      ready = this.#deploy(runtime, { secrets, drivers, createRole }, signal)
      this.#runtimes.set(key, ready)
      ready.catch(() => this.#runtimes.delete(key))
    }
    return ready
  }

  async #deploy(
    runtime: RuntimeSpec,
    { secrets, drivers, createRole }: Required<WorkerNeeds> & { readonly createRole: boolean },
    signal: AbortSignal | undefined,
  ): Promise<RuntimeMetadata> {
    if (secrets.length > 0 && !this.backend.capabilities.placesSecrets) {
      const names = [...new Set(secrets.map(secret => secret.storageName))].join(', ')
      throw new NotSupportedError(
        `${this.backend.name} has no way to give its workers the secrets of ${names}. Leave the secrets out ` +
          "of the config where the workers' own identity suffices, or use another storage, monitor or backend.",
      )
    }
    const metadata = await this.backend.deployRuntime(runtime, {
      ...(signal === undefined ? {} : { signal }),
      ...(secrets.length === 0 ? {} : { secrets }),
      ...(drivers.length === 0 ? {} : { drivers }),
      ...(createRole ? { createRole } : {}),
    })
    if (metadata.protocolVersion !== PROTOCOL_VERSION) {
      throw new ProtocolError(
        `Runtime '${runtime.name}' on ${this.backend.name} speaks protocol version ${metadata.protocolVersion}, this client ` +
          `version ${PROTOCOL_VERSION}. Run \`lithops runtime update ${runtime.name} -b ${this.backend.name}\`, or install the client of the runtime: ` +
          `npm i @lithops/core@${metadata.lithopsVersion}.`,
      )
    }
    return metadata
  }
}
