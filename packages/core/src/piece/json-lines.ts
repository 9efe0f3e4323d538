import { StorageError } from '../errors/index.ts'
import { nameOf } from './descriptor.ts'
import type { RowSource } from './row-readers.ts'

/** Each line that is not blank, parsed. An error (code LITHOPS_ROW) says which line of the piece is none of JSON. */
export async function* jsonLineBatches(source: RowSource): AsyncGenerator<unknown[], void, undefined> {
  let line = 0
  for await (const batch of source.lineBatches()) {
    const rows: unknown[] = []
    for (const text of batch) {
      line++
      if (text.trim() === '') continue
      try {
        rows.push(JSON.parse(text))
      } catch (cause) {
        const { descriptor } = source
        throw new StorageError(
          `${nameOf(descriptor)}, part ${descriptor.part}, line ${line} is not JSON: ${(cause as Error).message}`,
          { code: 'LITHOPS_ROW', details: { name: nameOf(descriptor), part: descriptor.part, line }, cause },
        )
      }
    }
    yield rows
  }
}
