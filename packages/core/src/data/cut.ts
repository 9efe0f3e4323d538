import type { Compression, PieceDescriptor } from '../piece/index.ts'
import type { FoundObject } from './found-object.ts'
import type { CutOptions } from './source-options.ts'

/** Cuts an object into pieces. Objects that are compressed, or whose server gives no parts, are one piece. */
export function cutObject(
  { object, hasRanges }: FoundObject,
  options: CutOptions,
): PieceDescriptor[] | Pieces {
  const { size } = object
  const compression = compressionOf(object, options.compression)
  const isWhole = compression !== undefined || !hasRanges || options.isWhole === true
  const totalParts = size === undefined || isWhole ? 1 : partsOf(size, options)
  const { newline, format } = options
  const isPlain = newline === undefined && format === undefined && compression === undefined
  const whole = isPlain
    ? object
    : {
        ...object,
        ...(newline === undefined ? {} : { newline }),
        ...(format === undefined ? {} : { format }),
        ...(compression === undefined ? {} : { compression }),
      }
  return totalParts === 1 ? [whole] : parts(whole, size as number, totalParts)
}

type Pieces = Generator<PieceDescriptor, void, undefined>

function* parts(whole: PieceDescriptor, size: number, totalParts: number): Pieces {
  const border = borders(size, totalParts)
  for (let part = 0; part < totalParts; part++) {
    yield { ...whole, part, totalParts, range: [border(part), border(part + 1)] }
  }
}

function partsOf(size: number, { chunkBytes, chunkNumber }: CutOptions): number {
  if (chunkNumber !== undefined) return Math.max(1, Math.min(chunkNumber, size))
  return chunkBytes === undefined ? 1 : Math.max(1, Math.ceil(size / chunkBytes))
}

/** Where the parts of an object begin: equal but for one byte, in whole numbers of any size. */
function borders(size: number, parts: number): (part: number) => number {
  const least = Math.floor(size / parts)
  const longer = size % parts
  return part => part * least + Math.min(part, longer)
}

const ENDING = /\.(?:(gz|gzip)|zst|zstd)$/i

function compressionOf(
  { kind, key }: PieceDescriptor,
  wanted: CutOptions['compression'],
): Compression | undefined {
  if (wanted === 'none') return undefined
  if (wanted !== undefined && wanted !== 'auto') return wanted
  const path = kind === 'url' ? new URL(key).pathname : key
  const ending = ENDING.exec(path)
  return ending === null ? undefined : ending[1] === undefined ? 'zstd' : 'gzip'
}
