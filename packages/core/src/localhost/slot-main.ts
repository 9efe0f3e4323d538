/** The worker process of the localhost backend: runs the activations that come over its pipe, one after the other. */

import { writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { decodeSecrets } from '../driver/secrets-environment.ts'
import { NotSupportedError } from '../errors/index.ts'
import { LITHOPS_VERSION } from '../version.ts'
import type { ModuleFactory } from '../worker/instantiate.ts'
import { installLogCapture } from '../worker/log-capture.ts'
import { ProcessGuard } from '../worker/process-guard.ts'
import { ActivationRunner, callOfCode } from '../worker/run-activation.ts'
import type { WorkerHost } from '../worker/worker-host.ts'
import { WorkerMonitors } from '../worker/worker-monitors.ts'
import { WorkerStorages } from '../worker/worker-storages.ts'
import { localhostStorageDriver } from './localhost-storage.ts'
import { SLOT_FD, SlotMessage, SlotMessageReader, slotMessageHead } from './slot-channel.ts'

const socket = new Socket({ fd: SLOT_FD, readable: true, writable: true })
const guard = new ProcessGuard()
const storages = new WorkerStorages({ drivers: [localhostStorageDriver] })
const monitors = new WorkerMonitors({ storages })
const initMs = performance.now()
let activations = 0

const host: WorkerHost = {
  facts: () => ({
    workerId: `localhost-${process.pid}`,
    nodeVersion: process.version,
    lithopsVersion: LITHOPS_VERSION,
    coldStart: activations++ === 0,
    initMs,
  }),
  emit: frames => send(SlotMessage.frames, frames),
  emitLog: frames => send(SlotMessage.log, frames),
  importModule: async (hash, code) => {
    if (code.kind !== 'file') throw new NotSupportedError(`Function ${hash} did not come as a file.`)
    const module = (await import(pathToFileURL(code.path).href)) as { default: ModuleFactory }
    return module.default
  },
  readLocation: async location => {
    if (location.kind === 'file') return readFile(location.path)
    throw new NotSupportedError('This input lies in the message and cannot be read again.')
  },
  repliesReachClient: true,
  openPublisher: head => monitors.open(head),
  loadStorage: head => storages.load(head),
  openStorage: (head, name) => storages.open(head, name),
  takeStorageRequests: (head, ahead) => storages.takeRequests(head, ahead),
  beginJob: head => guard.begin(head.extraEnv),
  afterCall: () => guard.restore(),
  poisoned: () => {
    isPoisoned = true
    send(SlotMessage.poisoned)
  },
}

const runner = new ActivationRunner(host)
const queue: Buffer[] = []
let running = false
/** What still waits must not run in this process. */
let isPoisoned = false

const reader = new SlotMessageReader((kind, payload) => {
  if (kind === SlotMessage.secrets) {
    const secrets = decodeSecrets(payload.toString('utf8'))
    storages.addSecrets(secrets)
    monitors.addSecrets(secrets)
  }
  if (kind !== SlotMessage.activate) return
  queue.push(payload)
  if (!running && !isPoisoned) void runQueue()
})

async function runQueue(): Promise<void> {
  running = true
  for (let payload = queue.shift(); payload !== undefined && !isPoisoned; payload = queue.shift()) {
    try {
      await runner.run(payload)
    } catch (error) {
      // the activation cannot be told in order: the client takes it as lost, and its calls are run again
      running = false // the exit is the worker's own
      writeSync(2, `The worker could not finish an activation: ${inspect(error)}\n`)
      process.exit(70)
    }
    send(SlotMessage.done)
  }
  running = false
}

function send(kind: number, payload?: Uint8Array): void {
  const head = slotMessageHead(kind, payload?.length ?? 0)
  if (payload === undefined) {
    socket.write(head)
    return
  }
  socket.cork()
  socket.write(head)
  socket.write(payload)
  socket.uncork()
}

installLogCapture((stream, text) => {
  const call = callOfCode.getStore() ?? runner.currentCall
  if (call === undefined) return false
  call.log(stream, text)
  runner.flush()
  return true
})

function escaped(error: unknown): void {
  const call = callOfCode.getStore() ?? runner.currentCall
  if (call?.escaped(error)) return
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const note = `An error after the end of call ${call?.callId ?? '?'} was ignored: ${text}\n`
  writeSync(2, note)
}
process.on('uncaughtException', escaped)
process.on('unhandledRejection', escaped)

process.on('exit', code => {
  if (!running || socket.writableLength > 0) return
  runner.flush()
  if (socket.writableLength > 0) return
  try {
    writeSync(SLOT_FD, slotMessageHead(SlotMessage.exiting, 1))
    writeSync(SLOT_FD, Buffer.from([code & 0xff]))
  } catch {
    // the pipe is full or gone: the exit code of the process says the same
  }
})

// Ctrl-C reaches the whole process group. What becomes of the calls is the client's to say: when it dies of the signal,
// the pipe closes; when it goes on, so do they.
process.on('SIGINT', () => {})

socket.on('data', chunk => reader.push(chunk))
// the client is gone: nobody waits for anything
socket.on('end', () => process.kill(process.pid, 'SIGKILL'))
socket.on('error', () => process.kill(process.pid, 'SIGKILL'))
