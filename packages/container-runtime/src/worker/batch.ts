import { open, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { CloudWorker, type StorageHead } from '@lithops/core/worker'
import {
  BATCH_VARIABLE,
  type BatchReader,
  batchPartVariable,
  readBatchEntry,
  unpackBatch,
} from '../batch-file.ts'
import { functionFolder, packageFolders } from './image-folders.ts'
import type { WorkerDrivers } from './slot.ts'

/** Where platforms tell a worker of a batch its index; the first is of those that have no name of their own for it. */
const INDEX_VARIABLES = [
  'LITHOPS_BATCH_INDEX',
  'JOB_INDEX',
  'CLOUD_RUN_TASK_INDEX',
  'JOB_COMPLETION_INDEX',
] as const
/** sysexits.h: an internal error. The platform must not take it for success. */
const EXIT_BY_FUNCTION = 70

interface BatchPlace {
  readonly file?: string
  /** The file is text of `packBatch`. */
  readonly isPacked?: boolean
  /** So many variables hold the text of `packBatch`. */
  readonly variables?: number
  readonly storage?: StorageHead
  readonly key?: string
  readonly first?: number
}

/**
 * Runs the activation of this worker's index. Resolves when every call was told by the job's monitor.
 *
 * @param graceMs from SIGTERM until what still runs is given up
 */
export async function runBatch(drivers: WorkerDrivers, graceMs: number): Promise<void> {
  const index = batchIndex(process.env)
  const place = readPlace(process.env)
  let isTold = false
  process.on('exit', code => {
    if (!isTold && code === 0) process.exitCode = EXIT_BY_FUNCTION
  })
  const controller = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      controller.abort(new Error('The platform has ended this worker.'))
      setTimeout(() => process.exit(1), graceMs).unref()
    })
  const worker = new CloudWorker({
    ...drivers,
    // the hosts of all of Cloud Run's tasks have one name
    workerId: `${process.env.CLOUD_RUN_EXECUTION ?? hostname()}-${index}`,
    packageFolders: packageFolders(),
    functionFolder: functionFolder(),
    namesJobs: true,
    // its call was told, and the process ends in a moment
    onPoisoned: () => {},
  })
  const payload = await withReader(worker, place, read => readBatchEntry(read, index + (place.first ?? 0)))
  await worker.run(payload, { isReplyAwaited: false, signal: controller.signal })
  isTold = true
}

/** Which part of a batch is this worker's. Throws a RangeError where the environment does not say. */
export function batchIndex(environment: NodeJS.ProcessEnv): number {
  const name = INDEX_VARIABLES.find(variable => environment[variable] !== undefined)
  if (name === undefined)
    throw new RangeError(
      `This worker of a batch does not know its index: none of ${INDEX_VARIABLES.join(', ')} is set.`,
    )
  const index = Number(environment[name])
  if (Number.isInteger(index) && index >= 0 && environment[name] !== '') return index
  throw new RangeError(`${name} is ${JSON.stringify(environment[name])}, which is no index.`)
}

function readPlace(environment: NodeJS.ProcessEnv): BatchPlace {
  const text = environment[BATCH_VARIABLE]
  if (text === undefined)
    throw new RangeError(`${BATCH_VARIABLE}, which says where the batch lies, is not set.`)
  let place: BatchPlace | null
  try {
    place = JSON.parse(text) as BatchPlace | null
  } catch (cause) {
    throw new RangeError(`${BATCH_VARIABLE} is no JSON.`, { cause })
  }
  const isThere =
    typeof place?.file === 'string' ||
    typeof place?.variables === 'number' ||
    (typeof place?.key === 'string' && typeof place.storage === 'object')
  if (place !== null && isThere) return place
  throw new RangeError(`${BATCH_VARIABLE} has neither a file nor a storage and a key.`)
}

/** Takes the text of a batch out of the environment: functions, and what they start, need not see it. */
function takeParts(environment: NodeJS.ProcessEnv, count: number): string {
  let text = ''
  for (let part = 0; part < count; part++) {
    const name = batchPartVariable(part)
    const value = environment[name]
    if (value === undefined)
      throw new RangeError(`${name}, which has a part of the batch, is not set: there should be ${count}.`)
    text += value
    delete environment[name]
  }
  return text
}

async function withReader<T>(
  worker: CloudWorker,
  { file, isPacked, variables, storage, key }: BatchPlace,
  use: (read: BatchReader) => Promise<T>,
): Promise<T> {
  if (variables !== undefined) {
    const batch = await unpackBatch(takeParts(process.env, variables))
    return use(async (start, end) => batch.subarray(start, end))
  }
  if (file === undefined) {
    return use((start, end) => worker.readObject(storage as StorageHead, key as string, { start, end }))
  }
  if (isPacked) {
    const batch = await unpackBatch(await readFile(file, 'utf8'))
    return use(async (start, end) => batch.subarray(start, end))
  }
  const handle = await open(file, 'r')
  try {
    return await use(async (start, end) => {
      const buffer = Buffer.alloc(end - start)
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
      return buffer.subarray(0, bytesRead)
    })
  } finally {
    await handle.close()
  }
}
