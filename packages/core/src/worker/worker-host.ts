import type { StatusPublisher } from '../driver/monitor.ts'
import type { StorageRequests } from '../driver/storage-backend.ts'
import type { Storage } from '../storage/storage.ts'
import type { RunningCall } from './call-context.ts'
import type { ModuleFactory } from './instantiate.ts'
import type { JobHead, Location, WorkerFacts } from './protocol.ts'
import type { RequestsByStorage } from './reply-frames.ts'

/** The outside world of the worker: what differs between a local process, a Lambda and a container. */
export interface WorkerHost {
  /** Said once per activation. */
  facts(): WorkerFacts
  /** Takes whole reply frames; called in order, and again whenever there is something new to tell. */
  emit(frames: Uint8Array): void
  /**
   * What is given to `emit` reaches the client also where the job has a monitor: what the monitor cannot take goes that
   * way. Absent: false; the activation then rejects with the publisher's error.
   */
  readonly repliesReachClient?: boolean
  /** The same for frames that hold log text alone, which is no sign of a call's progress. Absent: `emit`. */
  emitLog?(frames: Uint8Array): void
  /** Imports a function's module. Called once per hash: the worker keeps what it imported. `extraEnv`: of the job that asks. */
  importModule(
    hash: string,
    code: Location,
    inline: Uint8Array,
    extraEnv?: JobHead['extraEnv'],
  ): Promise<ModuleFactory>
  /** Reads bytes that are not in the message: files. Objects are read through `openStorage`. */
  readLocation(location: Location, head: JobHead): Promise<Uint8Array>
  /** Puts a large result where the client or another worker can read it. Absent: it is put through `openStorage`. */
  writeResult?(head: JobHead, callId: number, attempt: number, bytes: Uint8Array): Promise<Location>
  /** The worker's half of the job's monitor (`WorkerMonitors.open`). Absent: only the direct way home. */
  openPublisher?(head: JobHead): Promise<StatusPublisher>
  /**
   * The job's storage; with a name, one of `head.storages`. Throws NotSupportedError when there is none. Cheap: asked
   * as often as it is needed.
   */
  openStorage(head: JobHead, name?: string): Storage
  /**
   * Opens the job's storages, where that takes time. Called before the job's function is loaded.
   */
  loadStorage?(head: JobHead): Promise<void>
  /**
   * Requests to storages since it was last asked (`WorkerStorages.takeRequests`). Absent: the client does not learn of
   * them.
   *
   * @param ahead requests to the job's own storage that the activation is still going to make
   */
  takeStorageRequests?(head: JobHead, ahead: StorageRequests): RequestsByStorage
  /** Calls of this job come next. */
  beginJob?(head: JobHead): void
  /** A call begins now. */
  beforeCall?(call: RunningCall): void
  /** A call has ended: undo what it changed in the process. */
  afterCall?(call: RunningCall): void
  /** A function was ended at its timeout but may still be running: this process should take no more calls. */
  poisoned(call: RunningCall): void
}
