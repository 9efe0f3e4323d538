import { builtFile } from '../built-file.ts'
import { ConfigError } from '../errors/index.ts'
import type { TablePiece } from '../piece/index.ts'
import { ObjectSource, type ObjectsInput } from './object-source.ts'
import { compileObjectsOptions, type ObjectsOptions } from './source-options.ts'

/** What the text of a column is turned into; with '?' an empty field is undefined instead of an error. */
export type ColumnType = 'string' | 'number' | 'bigint' | 'boolean' | 'date' | 'json'
export type ColumnTypes = Readonly<Record<string, ColumnType | `${ColumnType}?`>>

interface TypeOf {
  string: string
  number: number
  bigint: bigint
  boolean: boolean
  date: Date
  json: unknown
}

/** A row with typed columns. */
export type RowOf<Types extends ColumnTypes> = {
  [Column in keyof Types]: Types[Column] extends `${infer Type extends ColumnType}?`
    ? TypeOf[Type] | undefined
    : TypeOf[Types[Column] & ColumnType]
}

export interface CsvOptions<Types extends ColumnTypes = ColumnTypes> extends Omit<ObjectsOptions, 'newline'> {
  /**
   * true: the first record of each object has the names of its columns; every piece of the object knows them. A list:
   * the names, for objects without such a record. false: rows are arrays. Default: true.
   */
  readonly header?: boolean | readonly string[]
  /** Columns to keep and their types. Default: all, as text. */
  readonly columns?: Types
  /** Default: ','. */
  readonly delimiter?: string
  /** Default: '"'. null: quotes mean nothing. */
  readonly quote?: string | null
  /** What takes away the meaning of a quote within quotes. Default: the quote itself. */
  readonly escape?: string
  /** Lines that begin so are left out. Default: none are. */
  readonly comment?: string
  /** What ends a record. Default: '\n', also with a '\r' before it. */
  readonly newline?: string
  /**
   * true: quoted fields may have newlines in them, and objects are not cut, as a border could lie within such a field.
   * false: a field that goes over the end of a piece is an error (code LITHOPS_ROW). Default: false.
   */
  readonly quotedNewlines?: boolean
}

const CSV_OPTIONS = [
  'header',
  'columns',
  'delimiter',
  'quote',
  'escape',
  'comment',
  'quotedNewlines',
] as const
const COLUMN_TYPES = ['string', 'number', 'bigint', 'boolean', 'date', 'json']

/** Objects of comma-separated values: the function's pieces have `rows()`, by the names of the header. */
export function csv(
  from: ObjectsInput,
  options: CsvOptions & { readonly header: false; readonly columns?: undefined },
): ObjectSource<TablePiece<string[]>>
export function csv<const Types extends ColumnTypes>(
  from: ObjectsInput,
  options: CsvOptions<Types> & { readonly columns: Types },
): ObjectSource<TablePiece<RowOf<Types>>>
export function csv<Row = Record<string, string>>(
  from: ObjectsInput,
  options?: CsvOptions & { readonly columns?: undefined },
): ObjectSource<TablePiece<Row>>
export function csv(from: ObjectsInput, options: CsvOptions = {}): ObjectSource<TablePiece<unknown>> {
  const compiled = compileObjectsOptions(options, CSV_OPTIONS)
  check(options)
  const { quotedNewlines = false } = options
  if (quotedNewlines && (options.chunkSize !== undefined || options.chunkNumber !== undefined)) {
    throw new ConfigError(
      'quotedNewlines: true leaves objects whole, as a border could lie within a quoted field: leave chunkSize and chunkNumber out, or quotedNewlines.',
    )
  }
  const { header = true, columns, delimiter = ',', quote = '"', escape, comment, newline } = options
  const format = {
    kind: 'csv',
    header,
    delimiter,
    quote,
    ...(columns === undefined ? {} : { columns }),
    ...(escape === undefined ? {} : { escape }),
    ...(comment === undefined ? {} : { comment }),
    ...(newline === undefined ? {} : { newline }),
  }
  return new ObjectSource(
    from,
    { ...compiled, format, ...(quotedNewlines ? { isWhole: true } : {}) },
    { workerModule: () => builtFile('formats/csv.js') },
  )
}

function check({
  header,
  columns,
  delimiter,
  quote,
  escape,
  comment,
  newline,
  quotedNewlines,
}: CsvOptions): void {
  const problems: string[] = []
  const text = (name: string, value: unknown) => {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      problems.push(`${name} must be text`)
  }
  text('delimiter', delimiter)
  text('escape', escape)
  text('comment', comment)
  text('newline', newline)
  if (quote !== null) text('quote', quote)
  const isNames = Array.isArray(header) && header.length > 0 && header.every(name => typeof name === 'string')
  if (header !== undefined && typeof header !== 'boolean' && !isNames) {
    problems.push('header must be true, false or a list of names')
  }
  if (quotedNewlines !== undefined && typeof quotedNewlines !== 'boolean') {
    problems.push('quotedNewlines must be true or false')
  }
  for (const [name, type] of Object.entries(columns ?? {})) {
    if (typeof type === 'string' && COLUMN_TYPES.includes(type.replace(/\?$/, ''))) continue
    problems.push(
      `columns.${name} must be one of ${COLUMN_TYPES.join(', ')}, with or without '?', not ${String(type)}`,
    )
  }
  if (columns !== undefined && header === false)
    problems.push('columns have names only with a header, or with a list of names as header')
  if (problems.length > 0)
    throw new ConfigError(`The options of the source are wrong: ${problems.join('; ')}.`)
}
