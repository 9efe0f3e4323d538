/** Reads rows of Parquet on workers. Bundled into functions that are given such a source. */

import zlib from 'node:zlib'
import { decompress as decompressZstd } from 'fzstd'
import { type Compressors, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { LithopsError, StorageError } from '../errors/index.ts'
import { byteSource, loadedByteSource } from '../piece/byte-source.ts'
import { nameOf } from '../piece/descriptor.ts'
import { type RowSource, registerRowReader } from '../piece/row-readers.ts'

interface ParquetFormat {
  readonly kind: 'parquet'
  readonly columns?: readonly string[]
  /** Absent: all rows, of an object that is read as a whole. */
  readonly rowStart?: number
  readonly rowEnd?: number
  /** Bytes at the end of the object that have its metadata. */
  readonly metadataBytes?: number
}

/** Rows that are handed on together. */
const BATCH_ROWS = 1024

const nodeZlib = zlib as typeof zlib & { zstdDecompressSync?: (bytes: Uint8Array) => Buffer }

/** What Node brings; snappy is hyparquet's own. */
const COMPRESSORS: Compressors = {
  GZIP: bytes => zlib.gunzipSync(bytes),
  BROTLI: bytes => zlib.brotliDecompressSync(bytes),
  ZSTD: bytes => nodeZlib.zstdDecompressSync?.(bytes) ?? decompressZstd(bytes),
}

async function* parquetBatches(source: RowSource): AsyncGenerator<unknown[], void, undefined> {
  const { descriptor } = source
  const format = descriptor.format as unknown as ParquetFormat
  const { rowStart = 0, rowEnd = Number.POSITIVE_INFINITY, metadataBytes, columns } = format
  if (rowStart >= rowEnd) return
  const { size } = descriptor
  const isLoaded = size === undefined || metadataBytes === undefined
  const file = isLoaded ? await loadedByteSource(source.content()) : byteSource(source.reader, size)
  try {
    const metadata = await parquetMetadataAsync(file, isLoaded ? {} : { initialFetchSize: metadataBytes })
    let at = 0
    for (const group of metadata.row_groups) {
      const start = at
      at += Number(group.num_rows)
      if (start < rowStart || start >= rowEnd) continue
      const rows = await parquetReadObjects({
        file,
        metadata,
        compressors: COMPRESSORS,
        rowStart: start,
        rowEnd: at,
        ...(columns === undefined ? {} : { columns: [...columns] }),
      })
      for (let i = 0; i < rows.length; i += BATCH_ROWS) yield rows.slice(i, i + BATCH_ROWS)
    }
  } catch (error) {
    if (LithopsError.isInstance(error)) throw error
    const name = nameOf(descriptor)
    throw new StorageError(`${name}, part ${descriptor.part}: ${(error as Error).message}`, {
      code: 'LITHOPS_OBJECT_DAMAGED',
      details: { name, part: descriptor.part },
      cause: error,
    })
  }
}

registerRowReader('parquet', parquetBatches)
