import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Activation, ComputeBackend } from '../../../src/driver/index.ts'
import { PROTOCOL_VERSION } from '../../../src/worker/index.ts'

/** A platform that only takes activations: each runs in a process that outlives the client. `folder` holds payloads. */
export class DetachedBackend implements ComputeBackend {
  readonly specVersion = 1
  readonly name = 'detached'
  readonly kind = 'faas'
  readonly capabilities = {
    synchronousReply: false,
    streamsReplies: false,
    maxPayloadBytes: 1024 * 1024,
    maxReplyBytes: 0,
    maxTimeoutMs: 60_000,
    maxActivations: 100,
    callsAtOnce: 1,
    sharesFileSystem: false,
    killsBusyCalls: false,
    freshWorkers: false,
  }
  readonly defaultRuntime = { name: 'detached' }
  readonly #folder: string
  invoked = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async deployRuntime() {
    return {
      lithopsVersion: '0.0.0-test',
      protocolVersion: PROTOCOL_VERSION,
      nodeVersion: process.version,
      platform: process.platform,
      arch: process.arch,
    }
  }

  async listRuntimes() {
    return []
  }

  async deleteRuntime() {}

  async invoke(activation: Activation) {
    this.invoked++
    const file = join(this.#folder, `${activation.id}-${process.pid}`)
    writeFileSync(file, activation.payload)
    const worker = join(import.meta.dirname, 'detached-worker.ts')
    spawn(process.execPath, ['--import', 'tsx', worker, file], { detached: true, stdio: 'ignore' }).unref()
    return {}
  }

  async clean() {
    return []
  }

  async close() {}
}
