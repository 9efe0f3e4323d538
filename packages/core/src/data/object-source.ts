import { ConfigError, ObjectNotFoundError } from '../errors/index.ts'
import type { ObjectPiece, PieceDescriptor, PieceSurroundings } from '../piece/index.ts'
import { pieceOf } from '../piece/index.ts'
import type { Storage } from '../storage/storage.ts'
import { type ObjectAddress, type Place, placeOf } from './address.ts'
import { cutObject } from './cut.ts'
import { findFiles } from './find-files.ts'
import { findBelow, findKey, type StoragePlace } from './find-in-storage.ts'
import { findUrl } from './find-url.ts'
import type { Found, FoundObject } from './found-object.ts'
import { inOrder } from './in-order.ts'
import type { CutOptions } from './source-options.ts'

/** Keys and URLs that are looked up at the same time. */
const LOOKUPS_AT_ONCE = 32

/** What `objects` takes: an address, another source, or a list of these. */
export type ObjectsInput = ObjectAddress | ObjectSource | Iterable<ObjectAddress | ObjectSource>

/** What a source needs of the executor whose job it feeds. */
export interface SourceSurroundings extends PieceSurroundings {
  storage(name: string | undefined): Promise<Storage>
  /** Throws where workers do not see this machine's files. */
  checkLocalFiles(path: string): Promise<void>
  /** Options of the map, for what a source does not say itself. */
  readonly defaults: CutOptions
  readonly signal: () => AbortSignal | undefined
}

/** How objects of a format are cut, when not by bytes alone. */
export type Cutter = (
  found: FoundObject,
  options: CutOptions,
  surroundings: PieceSurroundings,
) => AsyncIterable<PieceDescriptor> | Iterable<PieceDescriptor>

/** A source's own way, where it holds rows of a format. */
export interface SourceFormat {
  readonly cut?: Cutter
  /** File of the module that reads the rows on workers, for the bundle of the function. */
  readonly workerModule?: () => string
}

interface Entry {
  readonly place: Place
  readonly options: CutOptions
  readonly format: SourceFormat
}

let entriesIn: (source: ObjectSource) => readonly Entry[]

/**
 * Objects as the items of a job: give it to `map` or `mapReduce` of an executor. They are found and cut as fast as
 * results are taken; of their content nothing passes through the client.
 */
export class ObjectSource<Piece extends ObjectPiece = ObjectPiece> implements AsyncIterable<Piece> {
  static {
    entriesIn = source => source.#entries
  }

  readonly #entries: readonly Entry[]

  /** @internal */
  constructor(from: ObjectsInput, options: CutOptions, format: SourceFormat = {}) {
    this.#entries = entriesOf(from, options, format)
    if (this.#entries.length === 0 && options.allowEmpty !== true) {
      throw new ConfigError('The list of a source is empty. If that is meant, say so: { allowEmpty: true }.')
    }
  }

  /** A source is read by a job: `fexec.map(fn, source)`, or here by `fexec.partition(source)`. */
  [Symbol.asyncIterator](): AsyncIterator<Piece> {
    throw new TypeError(
      'A source of objects is read by a job: give it to map or mapReduce, or to partition() of an executor to have its pieces here.',
    )
  }

  /** @internal Config names of the storages that its objects are in, besides the job's own. */
  get storages(): string[] {
    const names = this.#entries.flatMap(({ place }) =>
      place.kind === 'object' && place.storage !== undefined ? [place.storage] : [],
    )
    return [...new Set(names)]
  }

  /** @internal Whether some of its objects are in the job's own storage. */
  get usesJobStorage(): boolean {
    return this.#entries.some(({ place }) => place.kind === 'object' && place.storage === undefined)
  }

  /** @internal Modules that the functions of its jobs need on workers. */
  get workerModules(): string[] {
    return [...new Set(this.#entries.flatMap(({ format }) => format.workerModule?.() ?? []))]
  }

  /** @internal Finds the objects and cuts them, each when the one before was taken. */
  async *pieces(surroundings: SourceSurroundings): AsyncGenerator<Piece, void, undefined> {
    for await (const { entry, found } of inOrder(this.#entries, LOOKUPS_AT_ONCE, entry =>
      lookUp(entry, surroundings),
    )) {
      const options = { ...withoutCut(surroundings.defaults, entry.options), ...entry.options }
      const cutter: Cutter = entry.format.cut ?? cutObject
      if (found !== undefined) {
        yield* pieces<Piece>(cutter(found, options, surroundings), surroundings)
        continue
      }
      let isEmpty = true
      const { entries, objectOf } = await findMany(entry.place, surroundings)
      for await (const listed of entries) {
        const object = objectOf(listed)
        if (object === undefined) continue
        isEmpty = false
        const cut = cutter(object, options, surroundings)
        if (Symbol.iterator in cut)
          for (const descriptor of cut) yield pieceOf(descriptor, surroundings) as Piece
        else yield* pieces<Piece>(cut, surroundings)
      }
      if (isEmpty && options.allowEmpty !== true) throw nothingFound(entry.place)
    }
  }
}

/** What a source says about cutting replaces all that the map says of it. */
function withoutCut(defaults: CutOptions, own: CutOptions): CutOptions {
  if (own.chunkBytes === undefined && own.chunkNumber === undefined) return defaults
  const { chunkBytes: _, chunkNumber: __, ...rest } = defaults
  return rest
}

async function* pieces<Piece>(
  cut: ReturnType<Cutter>,
  surroundings: PieceSurroundings,
): AsyncGenerator<Piece, void, undefined> {
  for await (const descriptor of cut) yield pieceOf(descriptor, surroundings) as Piece
}

/** Looks up what is one object by its address; `found` is undefined where many must be looked for. */
async function lookUp(
  entry: Entry,
  surroundings: SourceSurroundings,
): Promise<{ entry: Entry; found: FoundObject | undefined }> {
  const { place, options } = entry
  const signal = surroundings.signal()
  if (place.kind === 'url') {
    const { chunkBytes, chunkNumber } = { ...surroundings.defaults, ...options }
    const needsRanges =
      chunkBytes !== undefined || chunkNumber !== undefined || entry.format.cut !== undefined
    return { entry, found: await findUrl(place.url, { needsRanges, signal }) }
  }
  if (place.kind === 'file') {
    await surroundings.checkLocalFiles(place.path)
    return { entry, found: undefined }
  }
  if (place.select !== 'key' && place.select !== 'key-or-folder') return { entry, found: undefined }
  const found = await findKey(place, await surroundings.storage(place.storage), signal)
  if (found === undefined && place.select === 'key') throw nothingFound(place)
  return { entry, found }
}

async function findMany(place: Place, surroundings: SourceSurroundings): Promise<Found> {
  const signal = surroundings.signal()
  if (place.kind === 'object') {
    return (await findBelow(place, await surroundings.storage(place.storage), signal)) as Found
  }
  if (place.kind === 'file') {
    return { entries: findFiles(place, signal), objectOf: file => file as FoundObject }
  }
  throw new TypeError(`There is no listing of ${place.url}.`)
}

function nothingFound(place: Place): ObjectNotFoundError {
  const what = describe(place)
  const hint =
    place.kind === 'object' && place.scheme === '' && place.select === 'key-or-folder'
      ? ` For a file of this machine write './${place.bucket}/${place.key}'.`
      : ''
  return new ObjectNotFoundError(
    `There is no object for the source ${what}.${hint}${mayBeEmpty(place) ? ' If none is right too, say so: { allowEmpty: true }.' : ''}`,
    {
      details: {
        operation: 'find',
        ...(place.kind === 'object' ? { bucket: place.bucket, key: place.key } : {}),
      },
    },
  )
}

function mayBeEmpty(place: Place): boolean {
  return place.kind === 'file' || (place.kind === 'object' && place.select !== 'key')
}

function describe(place: Place): string {
  if (place.kind === 'file') return `'${place.path}'`
  if (place.kind === 'url') return `'${place.url}'`
  return `'${place.scheme}${place.bucket}/${(place as StoragePlace).key}'`
}

function entriesOf(from: ObjectsInput, options: CutOptions, format: SourceFormat): Entry[] {
  if (from instanceof ObjectSource) return inherited(from, options, format)
  const isList =
    typeof from === 'object' && from !== null && !(from instanceof URL) && Symbol.iterator in from
  if (!isList) return [{ place: placeOf(from), options, format }]
  return [...(from as Iterable<ObjectAddress | ObjectSource>)].flatMap(item => {
    if (item instanceof ObjectSource) return inherited(item, options, format)
    return [{ place: placeOf(item), options, format }]
  })
}

/** The entries of a source within another: what it does not say itself, it has from that. */
function inherited(source: ObjectSource, outer: CutOptions, format: SourceFormat): Entry[] {
  return entriesIn(source).map(entry => ({
    place: entry.place,
    options: { ...withoutCut(outer, entry.options), ...entry.options },
    format: entry.options.format === undefined ? format : entry.format,
  }))
}
