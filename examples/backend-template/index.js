// @ts-check
/** The half on the user's machine: starts a process for each activation and listens to it. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CallTimeoutError, InvocationError, WorkerLostError } from '@lithops/core/driver'
import { PROTOCOL_VERSION } from '@lithops/core/worker'

/**
 * @import { Activation, ComputeBackend, ComputeDriver, InvokeOptions, RuntimeSpec } from '@lithops/core/driver'
 */

const WORKER_FILE = fileURLToPath(new URL('worker.js', import.meta.url))
/** The worker ends a call at its timeout by itself; one in a busy loop cannot, and is ended this much later. */
const GRACE_MS = 400

/** @implements {ComputeBackend} */
export class TinyBackend {
  specVersion = /** @type {const} */ (1)
  name = 'tiny'
  kind = /** @type {const} */ ('faas')
  defaultRuntime = { name: process.execPath }
  #isClosed = false
  /** @type {Set<(error: unknown) => void>} */
  #stops = new Set()

  /** @param {{ workers?: number }} config */
  constructor(config = {}) {
    // Say what the platform can do; core and the kit act on nothing else.
    this.capabilities = {
      synchronousReply: true,
      streamsReplies: true,
      maxPayloadBytes: Number.POSITIVE_INFINITY,
      maxReplyBytes: Number.POSITIVE_INFINITY,
      maxTimeoutMs: Number.POSITIVE_INFINITY,
      maxActivations: config.workers ?? 4,
      callsAtOnce: 1,
      sharesFileSystem: true,
      killsBusyCalls: true,
      freshWorkers: true,
    }
  }

  /**
   * @param {RuntimeSpec} _runtime
   * @param {{ signal?: AbortSignal }} options
   */
  async deployRuntime(_runtime, { signal } = {}) {
    signal?.throwIfAborted()
    // A cloud asks the deployed runtime itself; here it is this very machine.
    const { version, platform, arch } = process
    return {
      lithopsVersion: '0.1.0',
      protocolVersion: PROTOCOL_VERSION,
      nodeVersion: version,
      platform,
      arch,
    }
  }

  async listRuntimes() {
    return [{ name: this.defaultRuntime.name, version: '0.1.0', workerName: 'tiny' }]
  }

  async deleteRuntime() {}

  /**
   * @param {Activation} activation
   * @param {InvokeOptions} options
   */
  async invoke(activation, { signal, onReply }) {
    if (this.#isClosed) throw closedError(false)
    signal?.throwIfAborted()
    const child = fork(WORKER_FILE, { serialization: 'advanced' })
    try {
      await new Promise((resolve, reject) => {
        /** @type {(error: unknown) => void} */
        const stop = reject
        this.#stops.add(stop)
        const onAbort = () => stop(signal?.reason)
        signal?.addEventListener('abort', onAbort, { once: true })
        const watchdog = new Watchdog(activation.callTimeoutMs + GRACE_MS, () =>
          stop(
            new CallTimeoutError(`The call ran longer than its timeout of ${activation.callTimeoutMs} ms.`),
          ),
        )
        child.on('message', message => {
          watchdog.restart()
          if (message === 'done') resolve(undefined)
          else onReply(/** @type {Uint8Array} */ (message))
        })
        child.on('error', cause => stop(new InvocationError('The worker did not start.', { cause })))
        child.on('exit', (code, by) =>
          stop(new WorkerLostError(`The worker ended with ${by ?? `code ${code}`}.`)),
        )
        child.once('spawn', () => child.send(activation.payload))
        child.once('exit', () => {
          watchdog.end()
          signal?.removeEventListener('abort', onAbort)
          this.#stops.delete(stop)
        })
      })
      return { requestId: String(child.pid) }
    } finally {
      child.kill('SIGKILL')
    }
  }

  async clean() {
    return []
  }

  async close() {
    this.#isClosed = true
    for (const stop of this.#stops) stop(closedError(true))
  }
}

/** Calls `bark` when nothing was heard for too long. */
class Watchdog {
  #limitMs
  #bark
  /** @type {NodeJS.Timeout | undefined} */
  #timer
  #isOver = false

  /**
   * @param {number} limitMs
   * @param {() => void} bark
   */
  constructor(limitMs, bark) {
    this.#limitMs = limitMs
    this.#bark = bark
  }

  restart() {
    clearTimeout(this.#timer)
    if (!this.#isOver && Number.isFinite(this.#limitMs)) this.#timer = setTimeout(this.#bark, this.#limitMs)
  }

  /** A message may still come after the end of its sender. */
  end() {
    this.#isOver = true
    clearTimeout(this.#timer)
  }
}

/** @param {boolean} mayHaveRun */
function closedError(mayHaveRun) {
  return new InvocationError('The tiny backend is closed.', {
    code: 'LITHOPS_CLOSED',
    isRetryable: false,
    mayHaveRun,
  })
}

/** @type {ComputeDriver<{ workers?: number }>} */
export const backend = {
  specVersion: 1,
  name: 'tiny',
  create: config => new TinyBackend(config),
}
