import type { ObjectPiece, TablePiece } from '../piece/index.ts'
import { ObjectSource, type ObjectsInput } from './object-source.ts'
import { compileObjectsOptions, type ObjectsOptions } from './source-options.ts'

/**
 * Objects as the items of a job: buckets, prefixes, patterns, keys, cloud objects, http(s) URLs, files and folders of
 * this machine, or a list of these, in any storages. The function gets an ObjectPiece per piece. Throws ConfigError for
 * addresses and options that are wrong; what is not there is found out when the job reads the source.
 */
export function objects(from: ObjectsInput, options: ObjectsOptions = {}): ObjectSource<ObjectPiece> {
  return new ObjectSource(from, compileObjectsOptions(options))
}

/** Objects whose lines are JSON: the function's pieces have `rows()`. Blank lines are left out. */
export function jsonLines<Row = unknown>(
  from: ObjectsInput,
  options: ObjectsOptions = {},
): ObjectSource<TablePiece<Row>> {
  return new ObjectSource(from, { ...compileObjectsOptions(options), format: { kind: 'jsonl' } })
}
