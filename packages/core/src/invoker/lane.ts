import type { ComputeBackend, RuntimeSpec } from '../driver/compute-backend.ts'
import { ProtocolError } from '../errors/index.ts'
import { PROTOCOL_VERSION } from '../worker/protocol.ts'

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

  /** Deploys a runtime at its first use. Several callers share one deployment; after a failure the next tries again. */
  ready(runtime: RuntimeSpec, signal: AbortSignal | undefined): Promise<void> {
    const key = `${runtime.name}\n${runtime.memoryMiB ?? ''}\n${runtime.timeoutMs ?? ''}`
    let ready = this.#runtimes.get(key)
    if (ready === undefined) {
      ready = this.#deploy(runtime, signal)
      this.#runtimes.set(key, ready)
      ready.catch(() => this.#runtimes.delete(key))
    }
    return ready
  }

  async #deploy(runtime: RuntimeSpec, signal: AbortSignal | undefined): Promise<void> {
    const metadata = await this.backend.deployRuntime(runtime, { signal })
    if (metadata.protocolVersion !== PROTOCOL_VERSION) {
      throw new ProtocolError(
        `Runtime '${runtime.name}' on ${this.backend.name} speaks protocol version ${metadata.protocolVersion}, this client ` +
          `version ${PROTOCOL_VERSION}. Run \`lithops runtime update ${runtime.name} -b ${this.backend.name}\`, or install the client of the runtime: ` +
          `npm i @lithops/core@${metadata.lithopsVersion}.`,
      )
    }
  }
}
