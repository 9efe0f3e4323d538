/** What travels to a worker instead of data: which bytes of which object a call is for. JSON, docs/protocol.md. */
export interface PieceDescriptor {
  /** Where `key` is: an object storage, this machine's files (`key` is an absolute path), or a URL (`key` is it). */
  readonly kind: 'object' | 'file' | 'url'
  /** Config name of the storage; absent: the job's own. */
  readonly storage?: string
  /** Absent for files and URLs. */
  readonly bucket?: string
  readonly key: string
  /** What the object is called in a source, where that is not clear from the rest. */
  readonly name?: string
  /** Bytes of the whole object; absent when its server does not say. */
  readonly size?: number
  /** Of the object when it was found; a reader that meets another refuses it. */
  readonly etag?: string
  /** The same for servers without ETags, as their header has it. */
  readonly lastModified?: string
  /** From 0. */
  readonly part: number
  readonly totalParts: number
  /** First and last-plus-one byte; absent: all of the object. */
  readonly range?: readonly [number, number]
  /** Base64 of what ends a record; null: the bytes exactly; absent: '\n'. */
  readonly newline?: string | null
  readonly compression?: Compression
  readonly format?: FormatDescriptor
}

export type Compression = 'gzip' | 'zstd'

/** How rows are read; `kind` names the reader, the rest is its own. */
export interface FormatDescriptor {
  readonly kind: string
  readonly [option: string]: unknown
}

/** How the object of a piece is called in a source. */
export function nameOf(descriptor: PieceDescriptor): string {
  const { name, bucket, key } = descriptor
  return name ?? (bucket === undefined ? key : `${bucket}/${key}`)
}
