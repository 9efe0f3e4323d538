import { encodeValue, hasClassTags } from '../codec/value.ts'
import type { ListPart } from '../worker/activation-message.ts'
import { InputKind } from '../worker/protocol.ts'
import { type Call, EncodedInput } from './call.ts'
import type { Job } from './job.ts'

/**
 * The input of a call from an item: primitives as they are, everything else encoded now, so that what the program
 * changes afterwards is not seen by the call.
 */
export function inputFromItem(item: unknown, job: Job): unknown {
  if (item === null || (typeof item !== 'object' && typeof item !== 'function' && typeof item !== 'symbol'))
    return item
  return new EncodedInput(InputKind.value, encodeValue(item, job.classes))
}

/** The input of a call from the value of another: passed on unread where it can be. */
export function inputFromCall(call: Call, job: Job): EncodedInput {
  const part = partFromCall(call, job)
  return new EncodedInput(part.kind, part.bytes)
}

/** The same for an array of values. */
export function inputFromCalls(calls: readonly Call[], job: Job): EncodedInput {
  return new EncodedInput(
    InputKind.list,
    new Uint8Array(0),
    calls.map(call => partFromCall(call, job)),
  )
}

function partFromCall(call: Call, job: Job): ListPart {
  const result = call.result
  if (result !== undefined && 'location' in result && !call.hasValueHere) {
    return { kind: InputKind.reference, bytes: Buffer.from(JSON.stringify(result.location)) }
  }
  if (result !== undefined && 'bytes' in result) {
    const bytes = result.bytes.subarray(result.start, result.end)
    // Bytes with class tags are read with the classes of the job they come from, and written with this job's.
    if (!hasClassTags(bytes)) return { kind: InputKind.value, bytes }
  }
  return { kind: InputKind.value, bytes: encodeValue(call.value, job.classes) }
}
