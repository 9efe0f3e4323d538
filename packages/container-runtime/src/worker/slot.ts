import { Socket } from 'node:net'
import { hostname } from 'node:os'
import { CloudWorker, type CloudWorkerOptions } from '@lithops/core/worker'
import type { ActivationError } from '../http-protocol.ts'
import { functionFolder, packageFolders } from './image-folders.ts'
import { PIPE_FD, PipeMessage, readMessages, sendMessage } from './pipe.ts'

/** Drivers that a runtime brings. */
export type WorkerDrivers = Pick<CloudWorkerOptions, 'storages' | 'monitors'>

interface RunningActivation {
  readonly controller: AbortController
  isReplyAwaited: boolean
}

/** A process that runs functions: activations come over its pipe, and replies go back. Ends with the other side. */
export async function runSlot(drivers: WorkerDrivers, concurrency: number): Promise<void> {
  const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true })
  const running = new Map<number, RunningActivation>()
  const worker = new CloudWorker({
    ...drivers,
    // Kubernetes tells the name of the pod; hosts without it have one of their own
    workerId: `${process.env.HOSTNAME ?? hostname()}-${uniqueDigits()}`,
    packageFolders: packageFolders(),
    functionFolder: functionFolder(),
    namesJobs: true,
    concurrency,
    onPoisoned: () => sendMessage(pipe, PipeMessage.poisoned, 0),
  })
  // the serving process has begun to end: what runs here is its to say
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  const leave = () => process.kill(process.pid, 'SIGKILL')
  pipe.on('end', leave)
  pipe.on('error', leave)
  readMessages(pipe, (kind, activation, payload) => {
    if (kind === PipeMessage.activate) void run(activation, payload)
    const known = running.get(activation)
    if (known === undefined) return
    if (kind === PipeMessage.unheard) known.isReplyAwaited = false
    if (kind === PipeMessage.cancel)
      known.controller.abort(new Error('The call was cancelled: nobody waits for it.'))
  })
  await worker.preloadFunction()
  sendMessage(pipe, PipeMessage.ready, 0, Buffer.from(JSON.stringify(worker.metadata)))

  async function run(activation: number, payload: Uint8Array): Promise<void> {
    const known: RunningActivation = { controller: new AbortController(), isReplyAwaited: true }
    running.set(activation, known)
    let isAccepted = false
    try {
      await worker.run(payload, {
        signal: known.controller.signal,
        activation,
        get isReplyAwaited() {
          return known.isReplyAwaited
        },
        onAccepted: () => {
          isAccepted = true
          sendMessage(pipe, PipeMessage.accepted, activation)
        },
        onReply: frames => sendMessage(pipe, PipeMessage.frames, activation, frames),
      })
      sendMessage(pipe, PipeMessage.ended, activation)
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      const error: ActivationError = isAccepted
        ? { kind: 'lost', message: `The calls could not be told: ${message}`, mayHaveRun: true }
        : { kind: 'protocol', message, mayHaveRun: false }
      sendMessage(pipe, PipeMessage.ended, activation, Buffer.from(JSON.stringify(error)))
    } finally {
      running.delete(activation)
    }
  }
}

/** Six hexadecimal digits, for a name; not of `node:crypto`, whose loading would be part of every cold start. */
function uniqueDigits(): string {
  return Math.floor(Math.random() * 2 ** 24)
    .toString(16)
    .padStart(6, '0')
}
