import { createHash } from 'node:crypto'
import type { ComputeBackend, RuntimeSpec, WorkerSecrets } from '../driver/compute-backend.ts'
import { NotSupportedError, ProtocolError } from '../errors/index.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'

/** Tells sets of secrets apart without keeping them longer than they are needed. */
function digestOf(secrets: readonly WorkerSecrets[]): string {
  return secrets.length === 0 ? '' : createHash('sha256').update(JSON.stringify(secrets)).digest('hex')
}

/** One backend as the invoker sees it: what is under way there, and which runtimes are ready. */
export class Lane {
  /** Activations handed to the backend and not ended. */
  inFlight = 0
  /** Why nothing more is sent there. */
  drained: unknown
  readonly #runtimes = new Map<string, Promise<void>>()

  constructor(readonly backend: ComputeBackend) {}

  /** How many more activations it takes now; `ahead` counts those that it may keep for later. */
  free(ahead: boolean): number {
    if (this.drained !== undefined) return 0
    const { maxActivations, prefetch = 0 } = this.backend.capabilities
    return maxActivations + (ahead ? prefetch : 0) - this.inFlight
  }

  /** The backend's default runtime with what a job asks beside it. */
  runtimeFor(wanted: Partial<RuntimeSpec>): RuntimeSpec {
    return { ...this.backend.defaultRuntime, ...wanted }
  }

  /**
   * Deploys a runtime at its first use, and again for secrets that were not placed with it or have changed since. Several callers share one
   * deployment; after a failure the next tries again.
   */
  ready(
    runtime: RuntimeSpec,
    options: { readonly signal?: AbortSignal | undefined; readonly secrets?: readonly WorkerSecrets[] } = {},
  ): Promise<void> {
    const secrets = options.secrets ?? []
    const key = `${runtime.name}\n${runtime.memoryMiB ?? ''}\n${runtime.timeoutMs ?? ''}\n${digestOf(secrets)}`
    let ready = this.#runtimes.get(key)
    if (ready === undefined) {
      ready = this.#deploy(runtime, secrets, options.signal)
      this.#runtimes.set(key, ready)
      ready.catch(() => this.#runtimes.delete(key))
    }
    return ready
  }

  async #deploy(
    runtime: RuntimeSpec,
    secrets: readonly WorkerSecrets[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
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
    })
    if (metadata.protocolVersion !== PROTOCOL_VERSION) {
      throw new ProtocolError(
        `Runtime '${runtime.name}' on ${this.backend.name} speaks protocol version ${metadata.protocolVersion}, this client ` +
          `version ${PROTOCOL_VERSION}. Run \`lithops runtime update ${runtime.name} -b ${this.backend.name}\`, or install the client of the runtime: ` +
          `npm i @lithops/core@${metadata.lithopsVersion}.`,
      )
    }
  }
}
