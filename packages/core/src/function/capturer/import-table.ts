import { isBuiltin } from 'node:module'
import path from 'node:path'
import type { UndoLog } from './undo-log.ts'

export interface WantedImport {
  /** File that holds the import, from which the specifier is resolved. */
  readonly importer: string | undefined
  readonly specifier: string
  /** Exported name; 'default', or '*' for the whole module. */
  readonly imported: string
  readonly isRequired?: boolean
}

/** An import of the emitted module. */
export interface EmittedImport extends WantedImport {
  /** What the user calls it. */
  readonly wantedName: string
  /** What the emitted module calls it. */
  localName: string
  /** What it is in this process, where that is known: its classes are those of the worker's as well. */
  value: unknown
}

/** The imports of the emitted module, each once. */
export class ImportTable {
  readonly #imports = new Map<string, EmittedImport>()
  readonly #undo: UndoLog

  constructor(undo: UndoLog) {
    this.#undo = undo
  }

  add(wanted: WantedImport, wantedName: string, value?: unknown): EmittedImport {
    const { importer, specifier, imported, isRequired = false } = wanted
    // from one folder, a specifier leads to one module
    const folder = importer === undefined || isBuiltin(specifier) ? null : path.dirname(importer)
    const key = JSON.stringify([folder, specifier, imported, isRequired])
    let known = this.#imports.get(key)
    if (known === undefined) {
      known = { ...wanted, wantedName: wantedName.replace(/[^\w$]/g, '_'), localName: '', value }
      this.#imports.set(key, known)
      this.#undo.add(() => this.#imports.delete(key))
    }
    known.value ??= value
    return known
  }

  all(): EmittedImport[] {
    return [...this.#imports.values()]
  }
}

/** A specifier that the bundler resolves from the file it was written in; built-in modules stay as they are. */
export function emittedSpecifier(importer: string | undefined, specifier: string): string {
  if (isBuiltin(specifier)) return specifier
  return `lithops:${Buffer.from(importer ?? '').toString('base64url')}:${specifier}`
}

/** The import as a statement. */
export function importStatement({
  importer,
  specifier,
  imported,
  isRequired,
  localName,
}: EmittedImport): string {
  const from = JSON.stringify(emittedSpecifier(importer, specifier))
  if (isRequired) return `const ${localName} = require(${from})`
  if (imported === '*') return `import * as ${localName} from ${from}`
  if (imported === 'default') return `import ${localName} from ${from}`
  const name = /^[\w$]+$/.test(imported) ? imported : JSON.stringify(imported)
  return `import { ${name === localName ? name : `${name} as ${localName}`} } from ${from}`
}
