import { ByteWriter } from '../codec/byte-writer.ts'
import { type Call, EncodedInput } from '../job/call.ts'
import type { Job } from '../job/job.ts'
import type { InternalStorage } from '../storage/internal-storage.ts'
import { InputKind, type ObjectLocation } from '../worker/protocol.ts'

/** Inputs go together into objects of about this size. */
const PACK_BYTES = 8 * 1024 * 1024
/** Inputs that are taken along when one is put into storage. */
const MAX_CALLS = 1000

const REFERENCES: ReadonlySet<number> = new Set([InputKind.reference, InputKind.listReference])

/** Whether the input lies in storage already: putting it there makes it no smaller. */
export function isReference(call: Call): boolean {
  return REFERENCES.has(call.inputKind)
}

let nextPack = 0

/**
 * Moves inputs into the job's storage: several per object, each call keeps the range of its own. What cannot be encoded
 * is the error of its call. Throws StorageError when the storage fails for good.
 */
export async function spillInputs(job: Job, calls: readonly Call[], storage: InternalStorage): Promise<void> {
  let at = 0
  while (at < calls.length) {
    const writer = new ByteWriter()
    const packed: {
      readonly call: Call
      readonly kind: number
      readonly start: number
      readonly end: number
    }[] = []
    for (; at < calls.length && writer.length < PACK_BYTES; at++) {
      const call = calls[at] as Call
      if (call.isEnded) continue
      const start = writer.length
      try {
        call.writeInput(writer)
      } catch (error) {
        writer.truncate(start)
        call.fail(error)
        continue
      }
      const kind = call.inputKind === InputKind.list ? InputKind.listReference : InputKind.reference
      packed.push({ call, kind, start, end: writer.length })
    }
    if (packed.length === 0) continue
    const key = await storage.putData(job.jobKey, `in-${nextPack++}`, writer.take())
    for (const { call, kind, start, end } of packed) {
      if (call.isEnded) continue
      const location: ObjectLocation = { kind: 'object', bucket: storage.bucket, key, start, end }
      call.input = new EncodedInput(kind, Buffer.from(JSON.stringify(location)))
    }
  }
}

/** Takes calls from the job's queue whose inputs are as large as that of a call that is spilled, to go with it. */
export function takeAlong(job: Job, calls: Call[], isTooLarge: (call: Call) => boolean): void {
  for (let next = job.peek(); next !== undefined && calls.length < MAX_CALLS; next = job.peek()) {
    if (isReference(next) || !isTooLarge(next)) return
    calls.push(job.take() as Call)
  }
}
