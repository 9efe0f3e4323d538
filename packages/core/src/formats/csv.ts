/** Reads rows of comma-separated values on workers. Bundled into functions that are given such a source. */

import { pipeline, Readable } from 'node:stream'
import { CsvError, type Options, parse } from 'csv-parse'
import { StorageError } from '../errors/index.ts'
import { nameOf } from '../piece/descriptor.ts'
import { LINE_FEED, newlineOf } from '../piece/newline.ts'
import { recordBytes } from '../piece/record-bytes.ts'
import { type RowSource, registerRowReader } from '../piece/row-readers.ts'

interface CsvFormat {
  readonly kind: 'csv'
  readonly header: boolean | readonly string[]
  readonly columns?: Readonly<Record<string, string>>
  readonly delimiter: string
  readonly quote: string | null
  readonly escape?: string
  readonly comment?: string
  readonly newline?: string
}

/** Rows that are handed on together. */
const BATCH_ROWS = 512

async function* csvBatches(source: RowSource): AsyncGenerator<unknown[], void, undefined> {
  const format = source.descriptor.format as unknown as CsvFormat
  const { header } = format
  const isFirst = source.descriptor.part === 0
  const names = header === true && !isFirst ? await headerBefore(source, format) : header
  const options: Options = {
    ...parserOptions(format),
    columns: names === true ? true : names === false ? false : [...names],
    bom: isFirst,
  }
  const toRow = rowMaker(format.columns, source)
  const parser = parsed(source.content(), options)
  let batch: unknown[] = []
  try {
    for await (const record of parser) {
      batch.push(toRow(record))
      if (batch.length < BATCH_ROWS) continue
      yield batch
      batch = []
    }
  } catch (error) {
    throw rowError(error, source)
  }
  if (batch.length > 0) yield batch
}

function parserOptions({ delimiter, quote, escape, comment, newline }: CsvFormat): Options {
  return {
    delimiter,
    quote,
    skip_empty_lines: true,
    ...(escape === undefined ? {} : { escape }),
    ...(comment === undefined ? {} : { comment }),
    record_delimiter: newline ?? ['\r\n', '\n'],
  }
}

/** The records in some bytes; errors arrive at whoever iterates. */
function parsed(content: AsyncIterable<Buffer>, options: Options): AsyncIterable<unknown> {
  return pipeline(Readable.from(content, { objectMode: false }), parse(options), () => {})
}

/**
 * The names in the first record of the object, for a piece that begins behind it; true when the record is in the piece.
 * Comments and blank lines may come before it.
 */
async function headerBefore(source: RowSource, format: CsvFormat): Promise<string[] | true> {
  const { size = 0, newline, range = [0, 0] } = source.descriptor
  const mark = newlineOf(newline) ?? LINE_FEED
  let begin = 0
  for (let end = 1; ; ) {
    const chunks: Buffer[] = []
    for await (const chunk of recordBytes(source.reader, { start: 0, end, size }, mark)) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const options = { ...parserOptions(format), bom: true, to: 1 }
    if (begin >= range[0]) return true
    try {
      for await (const names of parsed(Readable.from([bytes]), options)) return names as string[]
    } catch (error) {
      throw rowError(error, source)
    }
    if (bytes.length >= size) return true
    begin = bytes.length
    end = Math.min(size, begin + 1)
  }
}

function rowMaker(columns: CsvFormat['columns'], source: RowSource): (record: unknown) => unknown {
  if (columns === undefined) return record => record
  const makers = Object.entries(columns).map(([name, type]) => {
    const isOptional = type.endsWith('?')
    const parseField = FIELDS[type.replace(/\?$/, '')] as (text: string) => unknown
    return { name, type, isOptional, parseField }
  })
  let isChecked = false
  return record => {
    const fields = record as Readonly<Record<string, string>>
    if (!isChecked) {
      isChecked = true
      const missing = makers.filter(({ name }) => !(name in fields)).map(({ name }) => `'${name}'`)
      if (missing.length > 0) {
        throw badRow(
          source,
          `there is no column ${missing.join(', ')}; there are: ${Object.keys(fields).join(', ')}`,
        )
      }
    }
    const row: Record<string, unknown> = {}
    for (const { name, type, isOptional, parseField } of makers) {
      const text = fields[name] as string
      const value = isOptional && text === '' ? undefined : parseField(text)
      if (value === REFUSED)
        throw badRow(source, `column '${name}' has '${text.slice(0, 40)}', which is no ${type}`)
      row[name] = value
    }
    return row
  }
}

const REFUSED = Symbol('refused')

const FIELDS: Readonly<Record<string, (text: string) => unknown>> = {
  string: text => text,
  number: text => {
    const value = Number(text)
    return text.trim() === '' || (Number.isNaN(value) && text !== 'NaN') ? REFUSED : value
  },
  bigint: text => (/^\s*[+-]?\d+\s*$/.test(text) ? BigInt(text) : REFUSED),
  boolean: text => {
    const word = text.trim().toLowerCase()
    return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : REFUSED
  },
  date: text => {
    const value = new Date(text)
    return Number.isNaN(value.getTime()) ? REFUSED : value
  },
  json: text => {
    try {
      return JSON.parse(text)
    } catch {
      return REFUSED
    }
  },
}

function rowError(error: unknown, source: RowSource): unknown {
  if (!(error instanceof CsvError)) return error
  const isOpenQuote = error.code === 'CSV_QUOTE_NOT_CLOSED'
  const isCut = source.descriptor.totalParts > 1
  const hint =
    isCut && isOpenQuote
      ? ' A quoted field goes over the end of the piece. Give the source { quotedNewlines: true }, which leaves objects whole.'
      : ''
  return badRow(source, `${error.message}.${hint}`, error)
}

function badRow(source: RowSource, what: string, cause?: unknown): StorageError {
  const { descriptor } = source
  const name = nameOf(descriptor)
  return new StorageError(`${name}, part ${descriptor.part} of ${descriptor.totalParts}: ${what}`, {
    code: 'LITHOPS_ROW',
    details: { name, part: descriptor.part, totalParts: descriptor.totalParts },
    cause,
  })
}

registerRowReader('csv', csvBatches)
