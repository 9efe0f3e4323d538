import { builtFile } from '../built-file.ts'
import { ConfigError, LithopsError, NotSupportedError, StorageError } from '../errors/index.ts'
import { importHyparquet } from '../lazy-imports.ts'
import { byteSource } from '../piece/byte-source.ts'
import {
  nameOf,
  type PieceDescriptor,
  type PieceSurroundings,
  readerOf,
  type TablePiece,
} from '../piece/index.ts'
import type { FoundObject } from './found-object.ts'
import { ObjectSource, type ObjectsInput } from './object-source.ts'
import { type CutOptions, compileObjectsOptions, type ObjectsOptions } from './source-options.ts'

/** `chunkSize` and `chunkNumber` gather row groups; without them each row group is a piece. */
export interface ParquetOptions extends Pick<ObjectsOptions, 'chunkSize' | 'chunkNumber' | 'allowEmpty'> {
  /** Columns to read. Default: all. */
  readonly columns?: readonly string[]
}

/** The end of a Parquet file behind its metadata: their length, and 'PAR1'. */
const TRAILER_BYTES = 8

/**
 * Objects in Parquet format: the function's pieces have `rows()` of whole row groups. Of each object the client reads
 * the metadata at its end. Needs the package hyparquet in the user's project.
 */
export function parquet<Row = Record<string, unknown>>(
  from: ObjectsInput,
  options: ParquetOptions = {},
): ObjectSource<TablePiece<Row>> {
  const { columns } = options
  const compiled = compileObjectsOptions(options, ['columns'])
  if (columns !== undefined && !(Array.isArray(columns) && columns.every(name => typeof name === 'string'))) {
    throw new ConfigError('columns of a source of Parquet must be a list of names.')
  }
  const format = { kind: 'parquet', ...(columns === undefined ? {} : { columns }) }
  return new ObjectSource(
    from,
    { ...compiled, compression: 'none', format },
    { cut: cutParquet, workerModule: () => builtFile('formats/parquet.js') },
  )
}

async function* cutParquet(
  found: FoundObject,
  options: CutOptions,
  surroundings: PieceSurroundings,
): AsyncGenerator<PieceDescriptor, void, undefined> {
  const { hasRanges, object } = found
  const { size } = object
  if (size === undefined || !hasRanges) {
    yield { ...object, format: { kind: 'parquet', ...options.format } }
    return
  }
  const { rowGroups, metadataBytes } = await readMetadata(object, size, surroundings)
  const groups = gathered(rowGroups, options)
  for (const [part, group] of groups.entries()) {
    yield {
      ...object,
      part,
      totalParts: groups.length,
      range: [group.start, group.end],
      format: {
        kind: 'parquet',
        ...options.format,
        rowStart: group.rowStart,
        rowEnd: group.rowEnd,
        metadataBytes,
      },
    }
  }
}

interface RowGroup {
  readonly rowStart: number
  readonly rowEnd: number
  readonly start: number
  readonly end: number
}

async function readMetadata(
  descriptor: PieceDescriptor,
  size: number,
  surroundings: PieceSurroundings,
): Promise<{ rowGroups: RowGroup[]; metadataBytes: number }> {
  const { parquetMetadataAsync } = await hyparquet()
  const source = byteSource(readerOf(descriptor, surroundings), size)
  let metadata: Awaited<ReturnType<typeof parquetMetadataAsync>>
  try {
    metadata = await parquetMetadataAsync(source)
  } catch (cause) {
    if (LithopsError.isInstance(cause)) throw cause
    const name = nameOf(descriptor)
    throw new StorageError(`${name} is not a Parquet file: ${(cause as Error).message}`, {
      code: 'LITHOPS_OBJECT_DAMAGED',
      details: { name },
      cause,
    })
  }
  let rowStart = 0
  const rowGroups = metadata.row_groups.map(group => {
    const rowEnd = rowStart + Number(group.num_rows)
    const columns = group.columns.flatMap(({ meta_data: column }) => {
      if (column === undefined) return []
      const start = Number(column.dictionary_page_offset ?? column.data_page_offset)
      return [{ start, end: start + Number(column.total_compressed_size) }]
    })
    const made = {
      rowStart,
      rowEnd,
      start: Math.min(...columns.map(column => column.start)),
      end: Math.max(...columns.map(column => column.end)),
    }
    rowStart = rowEnd
    return made
  })
  return { rowGroups, metadataBytes: metadata.metadata_length + TRAILER_BYTES }
}

/** Neighbouring row groups together, up to the size or the number of pieces that is wanted. */
function gathered(rowGroups: readonly RowGroup[], { chunkBytes, chunkNumber }: CutOptions): RowGroup[] {
  if (rowGroups.length === 0) return [{ rowStart: 0, rowEnd: 0, start: 0, end: 0 }]
  const pieces: RowGroup[] = []
  for (const [index, group] of rowGroups.entries()) {
    const last = pieces.at(-1)
    const isTogether =
      last !== undefined &&
      (chunkNumber !== undefined
        ? Math.floor((index * chunkNumber) / rowGroups.length) ===
          Math.floor(((index - 1) * chunkNumber) / rowGroups.length)
        : chunkBytes !== undefined && group.end - last.start <= chunkBytes)
    if (isTogether) pieces[pieces.length - 1] = { ...last, rowEnd: group.rowEnd, end: group.end }
    else pieces.push(group)
  }
  return pieces
}

async function hyparquet(): Promise<typeof import('hyparquet')> {
  try {
    return await importHyparquet()
  } catch (cause) {
    throw new NotSupportedError('Sources of Parquet need a package: run `npm i hyparquet`.', {
      code: 'LITHOPS_PACKAGE_MISSING',
      details: { package: 'hyparquet' },
      cause,
    })
  }
}
