import { ByteWriter } from '../codec/byte-writer.ts'
import { readSections, writeSections } from '../codec/sections.ts'
import type { NativePackage, RuntimeSpec } from '../driver/compute-backend.ts'
import { ProtocolError } from '../errors/index.ts'
import { type Call, EncodedInput } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import type { JobOptions } from '../job/job-options.ts'
import type { Location } from '../worker/protocol.ts'

/** Version of the format below. */
const RECORD_VERSION = 1

/** What is kept of a job's options: all that says how its calls are run. */
type RecordedOptions = Pick<
  JobOptions,
  | 'chunksize'
  | 'extraEnv'
  | 'memoryMiB'
  | 'timeoutMs'
  | 'retries'
  | 'toleratedFailures'
  | 'results'
  | 'durable'
>

/** What another program must know of a job to read its results and to run what is left of it. */
export interface JobRecord {
  readonly recordVersion: number
  readonly lithopsVersion: string
  readonly executorId: string
  readonly jobId: string
  readonly createdMs: number
  readonly calls: number
  readonly backends: readonly string[]
  readonly runtime: Partial<RuntimeSpec>
  readonly options: Omit<RecordedOptions, 'timeoutMs'> & { readonly timeoutMs: number | null }
  readonly function: {
    readonly name: string
    readonly hash: string
    readonly isNative: boolean
    readonly externalPackages: readonly NativePackage[]
    /** Where its code lies, when it is too large to be beside this. */
    readonly code: Location
  }
  /** Objects that hold the inputs, in order. */
  readonly inputs: readonly string[]
}

/** The function's bytes beside the record. */
export interface RecordedFunction {
  readonly code: Uint8Array
  readonly env: Uint8Array
  readonly extraArgs: Uint8Array
}

/** The options of a job as they are recorded. */
export function recordedOptions(job: Job): JobRecord['options'] {
  const { chunksize, extraEnv, memoryMiB, timeoutMs, retries, toleratedFailures, results, durable } =
    job.options
  return {
    chunksize,
    extraEnv,
    memoryMiB,
    timeoutMs: Number.isFinite(timeoutMs) ? timeoutMs : null, // JSON has no infinity
    retries,
    toleratedFailures,
    results,
    durable,
  }
}

/** And back. */
export function optionsOfRecord({ options }: JobRecord): JobOptions {
  return {
    chunksize: options.chunksize,
    extraEnv: options.extraEnv,
    memoryMiB: options.memoryMiB,
    timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY,
    retries: options.retries,
    toleratedFailures: options.toleratedFailures,
    results: options.results,
    durable: true,
    includeModules: [],
    excludeModules: [],
    signal: undefined,
    progress: undefined,
  }
}

/** Bytes of a record: sections of docs/protocol.md, with code, captured values and extra arguments as buffers. */
export function encodeRecord(record: Omit<JobRecord, 'recordVersion'>, fn: RecordedFunction): Uint8Array {
  const writer = new ByteWriter(fn.code.length + fn.env.length + fn.extraArgs.length + 1024)
  writeSections(writer, JSON.stringify({ recordVersion: RECORD_VERSION, ...record }), [
    fn.code,
    fn.env,
    fn.extraArgs,
  ])
  return writer.take()
}

/** Reads a whole record. Throws ProtocolError for another version or damaged bytes. */
export function decodeRecord(bytes: Uint8Array): {
  readonly record: JobRecord
  readonly fn: RecordedFunction
} {
  const { json, buffers } = readSections(bytes, 0, bytes.length)
  const [code, env, extraArgs] = buffers
  if (code === undefined || env === undefined || extraArgs === undefined) {
    throw new ProtocolError('The record of a job is damaged.')
  }
  return { record: checked(json), fn: { code, env, extraArgs } }
}

/** Reads the facts from the first bytes of a record; undefined when there are not enough of them. */
export function decodeRecordFacts(bytes: Uint8Array): JobRecord | undefined {
  if (bytes.length < 4) return undefined
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (bytes.length < end) return undefined
  return checked(JSON.parse(Buffer.from(bytes.subarray(4, end)).toString('utf8')))
}

function checked(json: unknown): JobRecord {
  const record = json as JobRecord
  if (record?.recordVersion === RECORD_VERSION) return record
  throw new ProtocolError(
    `The record of the job has version ${String(record?.recordVersion)}, and this client reads version ${RECORD_VERSION}. ` +
      'Use the version of @lithops/core that started the job.',
  )
}

/** Inputs go into objects of about this size. */
const PACK_BYTES = 16 * 1024 * 1024

/** The inputs of calls that have one: u32 call id, u8 kind, u32 length, bytes of each. Calls that wait have none yet. */
export function* packInputs(calls: readonly Call[]): Generator<Uint8Array> {
  let writer = new ByteWriter()
  for (const call of calls) {
    if (call.isEnded || call.state === 'waiting') continue
    const begin = writer.length
    writer.u32(call.id)
    writer.u8(call.inputKind)
    writer.u32(0)
    try {
      call.writeInput(writer)
    } catch {
      writer.truncate(begin) // it ends with the error when it is sent
      continue
    }
    writer.patchU32(begin + 5, writer.length - begin - 9)
    if (writer.length < PACK_BYTES) continue
    yield writer.take()
    writer = new ByteWriter()
  }
  if (writer.length > 0) yield writer.take()
}

/** Reads such an object, each input as it was. */
export function* unpackInputs(
  bytes: Uint8Array,
): Generator<{ readonly callId: number; readonly input: EncodedInput }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const end = at + 9 + (at + 9 <= bytes.length ? view.getUint32(at + 5, true) : Number.POSITIVE_INFINITY)
    if (end > bytes.length) throw new ProtocolError('The inputs of a job end too early.')
    const kind = view.getUint8(at + 4)
    const body = bytes.subarray(at + 9, end)
    // a list was written whole: it is sent as its bytes are
    yield { callId: view.getUint32(at, true), input: new EncodedInput(kind, body) }
    at = end
  }
}
